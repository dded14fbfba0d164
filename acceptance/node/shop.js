// What most tests need: an application with an environment and a profile, made with the AWS SDK for JavaScript and
// nothing but an endpoint changed. Where the server is, and whom to sign as, is in the environment.

import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  AppConfigClient,
  CreateApplicationCommand,
  CreateConfigurationProfileCommand,
  CreateDeploymentStrategyCommand,
  CreateEnvironmentCommand,
  CreateHostedConfigurationVersionCommand,
  StartDeploymentCommand,
  waitUntilDeploymentComplete,
} from '@aws-sdk/client-appconfig';
import { AppConfigDataClient } from '@aws-sdk/client-appconfigdata';

export const FLAGS = 'AWS.AppConfig.FeatureFlags';

const url = process.env.YARDARM_URL;
const settings = { endpoint: url, region: 'us-east-1', maxAttempts: 1 };

/** Clients of both planes. */
export const control = new AppConfigClient(settings);
export const data = new AppConfigDataClient(settings);

let made = 0;

/** A name that no other test has. */
export function freshName(what) {
  made += 1;
  return `${what}-js-${process.pid}-${made}`;
}

export class Shop {
  /** An application with an environment and a profile of the given type. */
  static async open(type = FLAGS) {
    const shop = new Shop();
    shop.name = freshName('shop');
    shop.id = (await control.send(new CreateApplicationCommand({ Name: shop.name }))).Id;
    const inShop = { ApplicationId: shop.id };
    shop.environment = (await control.send(new CreateEnvironmentCommand({ ...inShop, Name: 'prod' }))).Id;
    const profile = { ...inShop, Name: 'flags', LocationUri: 'hosted', Type: type };
    shop.profile = (await control.send(new CreateConfigurationProfileCommand(profile))).Id;
    const instant = {
      Name: freshName('instant'),
      DeploymentDurationInMinutes: 0,
      FinalBakeTimeInMinutes: 0,
      GrowthFactor: 100,
      ReplicateTo: 'NONE',
    };
    shop.instant = (await control.send(new CreateDeploymentStrategyCommand(instant))).Id;
    return shop;
  }

  /** Stores content and deploys it to everybody at once. */
  async publish(content) {
    const inProfile = { ApplicationId: this.id, ConfigurationProfileId: this.profile };
    const stored = await control.send(
      new CreateHostedConfigurationVersionCommand({
        ...inProfile,
        ContentType: 'application/json',
        Content: new TextEncoder().encode(JSON.stringify(content)),
      }),
    );
    const started = await control.send(
      new StartDeploymentCommand({
        ...inProfile,
        EnvironmentId: this.environment,
        DeploymentStrategyId: this.instant,
        ConfigurationVersion: String(stored.VersionNumber),
      }),
    );
    const deployment = {
      ApplicationId: this.id,
      EnvironmentId: this.environment,
      DeploymentNumber: started.DeploymentNumber,
    };
    await waitUntilDeploymentComplete({ client: control, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, deployment);
    return stored.VersionNumber;
  }
}

/** A document with a flag of each kind, and what may differ of it. */
export function flags({ enabled = false, colour = 'blue' } = {}) {
  return {
    version: '1',
    flags: {
      checkout: {
        attributes: {
          colour: { constraints: { type: 'string', required: true } },
          limit: { constraints: { type: 'number' } },
          tags: { constraints: { type: 'array' } },
        },
      },
      greeting: { attributes: { value: { constraints: { type: 'string' } } } },
      theme: { attributes: { colour: { constraints: { type: 'string' } } } },
    },
    values: {
      checkout: { enabled: true, colour, limit: 7, tags: ['a', 'b'] },
      greeting: { enabled: true, value: 'hello' },
      maintenance: { enabled },
      theme: {
        _variants: [
          { name: 'gold', enabled: true, rule: '(eq $tier "gold")', attributeValues: { colour: 'gold' } },
          { name: 'adult', enabled: true, rule: '(gte $age 18)', attributeValues: { colour: 'grey' } },
          { name: 'everybody', enabled: false },
        ],
      },
    },
  };
}

/** Where the flags of a shop are evaluated, with a token of its own: on the server, or on an agent in front of it. */
export async function ofrep(shop) {
  if (process.env.ANSWERING === 'agent') {
    return { baseUrl: await agentOf(shop), headers: [['Authorization', 'Bearer let me in']] };
  }
  const create = ['token', 'create', shop.name, '--application', shop.name, '--environment', 'prod'];
  const made = execFileSync(process.env.YARDARM_BINARY, [...create, '--output', 'json'], { encoding: 'utf8' });
  return { baseUrl: url, headers: [['Authorization', `Bearer ${JSON.parse(made).token}`]] };
}

/** Starts an agent that knows the flags of a shop and ends with the tests. Answers where it is. */
export async function agentOf(shop) {
  const prefetch = `${shop.name}:prod:flags`;
  const options = ['agent', '--http-port', '0', '--poll-interval', '1s', '--prefetch-list', prefetch];
  const agent = spawn(process.env.YARDARM_BINARY, options, {
    env: { ...process.env, ACCESS_TOKEN: 'let me in', HTTP_HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  process.once('exit', () => agent.kill());
  for await (const line of createInterface({ input: agent.stdout })) {
    const found = /serves at (http:\S+)/.exec(line);
    if (!found) continue;
    // It must not keep the tests from ending.
    agent.unref();
    agent.stdout.unref();
    return found[1];
  }
  throw new Error('the agent has ended');
}

/** Waits until `claim` holds: an agent hears of a deployment within a second. */
export async function eventually(claim) {
  const deadline = Date.now() + 10_000;
  while (!(await claim())) {
    if (Date.now() > deadline) throw new Error(`not within ten seconds: ${claim}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}
