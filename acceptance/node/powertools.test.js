// Powertools for AWS Lambda (TypeScript): parameters and feature flags, as its documentation uses them, with a client of
// ours in place of Amazon's.

import assert from 'node:assert/strict';
import test from 'node:test';
import { AppConfigProvider } from '@aws-lambda-powertools/parameters/appconfig';
import { GetParameterError } from '@aws-lambda-powertools/parameters/errors';
import { Shop, data, flags } from './shop.js';

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
