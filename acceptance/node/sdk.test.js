// The AWS SDK for JavaScript: from an application to a poll, and errors by their classes.

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  BadRequestException,
  CreateHostedConfigurationVersionCommand,
  GetApplicationCommand,
  ResourceNotFoundException,
  paginateListApplications,
} from '@aws-sdk/client-appconfig';
import { GetLatestConfigurationCommand, StartConfigurationSessionCommand } from '@aws-sdk/client-appconfigdata';
import { Shop, control, data, flags } from './shop.js';

async function poll(token) {
  const answer = await data.send(new GetLatestConfigurationCommand({ ConfigurationToken: token }));
  return { text: answer.Configuration?.transformToString() ?? '', next: answer.NextPollConfigurationToken };
}

test('a configuration is stored, deployed, read, and read anew when it has changed', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const session = await data.send(
    new StartConfigurationSessionCommand({
      ApplicationIdentifier: shop.name,
      EnvironmentIdentifier: 'prod',
      ConfigurationProfileIdentifier: 'flags',
    }),
  );
  const first = await poll(session.InitialConfigurationToken);
  assert.deepEqual(JSON.parse(first.text).maintenance, { enabled: false });
  const unchanged = await poll(first.next);
  assert.equal(unchanged.text, '');
  await shop.publish(flags({ enabled: true }));
  assert.deepEqual(JSON.parse((await poll(unchanged.next)).text).maintenance, { enabled: true });
});

test('errors are instances of their classes', async () => {
  await assert.rejects(control.send(new GetApplicationCommand({ ApplicationId: 'zzzz999' })), (error) => {
    assert.ok(error instanceof ResourceNotFoundException);
    assert.match(error.message, /Application with Id zzzz999 could not be found/);
    return true;
  });
  const shop = await Shop.open();
  const broken = flags({ colour: 7 });
  const stored = control.send(
    new CreateHostedConfigurationVersionCommand({
      ApplicationId: shop.id,
      ConfigurationProfileId: shop.profile,
      ContentType: 'application/json',
      Content: new TextEncoder().encode(JSON.stringify(broken)),
    }),
  );
  await assert.rejects(stored, (error) => {
    assert.ok(error instanceof BadRequestException);
    assert.equal(error.Reason, 'InvalidConfiguration');
    assert.equal(error.Details.InvalidConfiguration[0].Location, 'values.checkout.colour');
    return true;
  });
});

test('lists are paged', async () => {
  const shops = [await Shop.open(), await Shop.open(), await Shop.open()];
  const found = new Set();
  for await (const page of paginateListApplications({ client: control, pageSize: 2 }, {})) {
    assert.ok(page.Items.length <= 2);
    page.Items.forEach((application) => found.add(application.Id));
  }
  assert.ok(shops.every((shop) => found.has(shop.id)));
});
