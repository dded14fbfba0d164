// Powertools for AWS Lambda (TypeScript): parameters and feature flags, as its documentation uses them, with a client of
// ours in place of Amazon's. Its AppConfig provider speaks the data plane only; whoever has an agent beside the function
// derives a provider of their own from its base, which keeps and transforms.

import assert from 'node:assert/strict';
import test from 'node:test';
import { AppConfigProvider } from '@aws-lambda-powertools/parameters/appconfig';
import { BaseProvider } from '@aws-lambda-powertools/parameters/base';
import { GetParameterError } from '@aws-lambda-powertools/parameters/errors';
import { Shop, agentOf, data, eventually, flags } from './shop.js';

function provider(shop) {
  return new AppConfigProvider({ application: shop.name, environment: 'prod', awsSdkV3Client: data });
}

test('a parameter is read, kept, and read anew', async () => {
  const shop = await Shop.open('AWS.Freeform');
  await shop.publish({ limit: 1 });
  const parameters = provider(shop);
  assert.deepEqual(await parameters.get('flags', { transform: 'json' }), { limit: 1 });
  await shop.publish({ limit: 2 });
  assert.deepEqual(await parameters.get('flags', { transform: 'json' }), { limit: 1 }, 'still fresh enough');
  const forced = { transform: 'json', forceFetch: true };
  assert.deepEqual(await parameters.get('flags', forced), { limit: 2 });
  assert.deepEqual(await parameters.get('flags', forced), { limit: 2 }, 'an empty answer keeps the value');
});

test('flags are read as people write them', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const parameters = provider(shop);
  const read = () => parameters.get('flags', { transform: 'json', forceFetch: true });
  const found = await read();
  assert.deepEqual(found.checkout, { enabled: true, colour: 'blue', limit: 7, tags: ['a', 'b'] });
  assert.deepEqual(found.maintenance, { enabled: false });
  assert.deepEqual(found.theme, { _variant: 'everybody', enabled: false });
  await shop.publish(flags({ enabled: true }));
  assert.equal((await read()).maintenance.enabled, true);
});

test('what is not deployed raises the error of the library', async () => {
  const shop = await Shop.open();
  await assert.rejects(provider(shop).get('flags'), GetParameterError);
});

/** Reads configurations of an environment from an agent. */
class AgentProvider extends BaseProvider {
  constructor(agent, application) {
    super({});
    this.environment = `${agent}/applications/${application}/environments/prod`;
  }

  async _get(name) {
    const answer = await fetch(`${this.environment}/configurations/${name}`, {
      headers: { Authorization: 'Bearer let me in', Context: 'tier=gold' },
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.text();
  }

  async _getMultiple() {
    throw new Error('an agent is asked for one configuration at a time');
  }
}

test('flags are read from an agent, evaluated', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const parameters = new AgentProvider(await agentOf(shop), shop.name);
  const read = () => parameters.get('flags', { transform: 'json', forceFetch: true });
  assert.deepEqual((await read()).theme, { _variant: 'gold', enabled: true, colour: 'gold' });
  await assert.rejects(parameters.get('nothing'), GetParameterError);
  await shop.publish(flags({ enabled: true }));
  await eventually(async () => (await read()).maintenance.enabled);
  assert.equal((await parameters.get('flags', { transform: 'json' })).maintenance.enabled, true, 'still kept');
});
