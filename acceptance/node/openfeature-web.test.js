// OpenFeature's SDK for browsers with its OFREP provider: everything at once, evaluated here, asked again when the context
// changes, and heard of by a stream.

import assert from 'node:assert/strict';
import test from 'node:test';
import { OpenFeature, ProviderEvents, StandardResolutionReasons } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { EventSource } from 'eventsource';
import { Shop, flags, ofrep } from './shop.js';

// A browser has it.
globalThis.EventSource ??= EventSource;

async function clientOf(shop, context, options = {}) {
  const provider = new OFREPWebProvider({ ...(await ofrep(shop)), cacheMode: 'disabled', ...options });
  await OpenFeature.setProviderAndWait(shop.name, provider, context);
  return OpenFeature.getClient(shop.name);
}

/** The next change that the client hears of. */
function change(client) {
  return new Promise((heard) => {
    const handler = (details) => {
      client.removeHandler(ProviderEvents.ConfigurationChanged, handler);
      heard(details);
    };
    client.addHandler(ProviderEvents.ConfigurationChanged, handler);
  });
}

test.after(() => OpenFeature.close());

test('all flags are there at once and follow the context', async () => {
  const shop = await Shop.open();
  await shop.publish(flags({ enabled: true }));
  const client = await clientOf(shop, { targetingKey: 'u1', tier: 'gold' }, { changeDetection: 'none' });
  assert.equal(client.getBooleanValue('maintenance', false), true);
  assert.equal(client.getNumberValue('checkout.limit', 0), 7);
  assert.equal(client.getStringValue('greeting', 'none'), 'hello');
  const gold = client.getStringDetails('theme.colour', 'none');
  assert.deepEqual(
    [gold.value, gold.variant, gold.reason],
    ['gold', 'gold', StandardResolutionReasons.TARGETING_MATCH],
  );
  await OpenFeature.setContext(shop.name, { targetingKey: 'u1', age: 18 });
  assert.equal(client.getStringValue('theme.colour', 'none'), 'grey');
  await OpenFeature.setContext(shop.name, { targetingKey: 'u1', age: 17 });
  assert.equal(client.getStringValue('theme.colour', 'none'), 'none', 'the default of the caller');
});

test('a deployment is heard of by polling', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const options = { changeDetection: 'polling', pollInterval: 100 };
  const client = await clientOf(shop, { targetingKey: 'u1' }, options);
  assert.equal(client.getStringValue('checkout.colour', 'none'), 'blue');
  const changed = change(client);
  await shop.publish(flags({ colour: 'green' }));
  await changed;
  assert.equal(client.getStringValue('checkout.colour', 'none'), 'green');
});

test('a deployment is heard of by a stream', async () => {
  const shop = await Shop.open();
  await shop.publish(flags());
  const client = await clientOf(shop, { targetingKey: 'u1' }, { changeDetection: 'sse' });
  assert.equal(client.getStringValue('checkout.colour', 'none'), 'blue');
  const changed = change(client);
  await shop.publish(flags({ colour: 'green' }));
  await changed;
  assert.equal(client.getStringValue('checkout.colour', 'none'), 'green');
});
