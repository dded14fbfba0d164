// OpenFeature's SDK for servers with its OFREP provider: one request an evaluation.

import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode, OpenFeature, StandardResolutionReasons } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { Shop, eventually, flags, ofrep } from './shop.js';

async function clientOf(shop, options = {}) {
  const provider = new OFREPProvider({ ...(await ofrep(shop)), ...options });
  await OpenFeature.setProviderAndWait(shop.name, provider);
  return OpenFeature.getClient(shop.name);
}

test.after(() => OpenFeature.close());

test('a flag of every type has its value', async () => {
  const shop = await Shop.open();
  await shop.publish(flags({ enabled: true }));
  const client = await clientOf(shop);
  assert.equal(await client.getBooleanValue('maintenance', false), true);
  assert.equal(await client.getStringValue('checkout.colour', 'none'), 'blue');
  assert.equal(await client.getNumberValue('checkout.limit', 0), 7);
  assert.equal(await client.getBooleanValue('checkout.enabled', false), true);
  assert.deepEqual(await client.getObjectValue('checkout', {}), {
    enabled: true,
    colour: 'blue',
    limit: 7,
    tags: ['a', 'b'],
  });
  assert.deepEqual(await client.getObjectValue('checkout.tags', {}), { value: ['a', 'b'] });
  const greeting = await client.getStringDetails('greeting', 'none');
  assert.deepEqual([greeting.value, greeting.reason], ['hello', StandardResolutionReasons.STATIC]);
});

test('rules see the context with its types', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const client = await clientOf(shop);
  const theme = (context) => client.getStringDetails('theme.colour', 'none', context);
  const gold = await theme({ targetingKey: 'u1', tier: 'gold' });
  assert.deepEqual(
    [gold.value, gold.variant, gold.reason],
    ['gold', 'gold', StandardResolutionReasons.TARGETING_MATCH],
  );
  assert.equal((await theme({ targetingKey: 'u1', age: 18 })).value, 'grey');
  assert.equal((await theme({ targetingKey: 'u1', age: 17 })).value, 'none', 'the default of the caller');
});

test('a disabled flag is off with a reason', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const client = await clientOf(shop);
  const off = await client.getBooleanDetails('maintenance', true);
  assert.deepEqual([off.value, off.reason], [false, StandardResolutionReasons.DISABLED]);
  const theme = await client.getObjectDetails('theme', {});
  assert.deepEqual([theme.value, theme.variant], [{ enabled: false }, 'everybody']);
});

test('what is not there or of another type gives the default and says why', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const client = await clientOf(shop);
  const unknown = await client.getBooleanDetails('unknown', true);
  assert.deepEqual([unknown.value, unknown.errorCode], [true, ErrorCode.FLAG_NOT_FOUND]);
  const other = await client.getNumberDetails('greeting', 3);
  assert.deepEqual([other.value, other.errorCode], [3, ErrorCode.TYPE_MISMATCH]);
});

test('a deployment is seen', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const client = await clientOf(shop);
  assert.equal(await client.getStringValue('checkout.colour', 'none'), 'blue');
  await shop.publish(flags({ colour: 'green' }));
  await eventually(async () => (await client.getStringValue('checkout.colour', 'none')) === 'green');
});

test('without the right token there is only the default', async () => {
  const shop = await Shop.open();
  await shop.publish(flags({ enabled: true }));
  const client = await clientOf(shop, { headers: [['Authorization', 'Bearer ydm_wrong']] });
  const refused = await client.getBooleanDetails('maintenance', false);
  assert.equal(refused.value, false);
  assert.ok(refused.errorCode);
});
