// The newest client over TLS, where it speaks HTTP/2 with everything on one connection.

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, test } from 'node:test';

import { Freestyle } from 'freestyle-v5';

import { Server } from './server.mjs';

// The certificate is the server's own; this file's process trusts any.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

const server = new Server('npm-freestyle-v5-tls', ['--tls-self-signed']);
before(() => server.start());
after(() => server.remove());

test('the server offers HTTP/2', async () => {
  const session = connectHttp2(server.url);
  await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
  assert.equal(session.alpnProtocol, 'h2');
  session.close();
});

test('a hundred calls at once', async () => {
  const freestyle = new Freestyle({ baseUrl: server.url, apiKey: server.key });
  const made = await Promise.all(Array.from({ length: 100 }, () => freestyle.identities.create()));
  assert.equal(new Set(made.map(({ identityId }) => identityId)).size, 100);
  const grants = await Promise.all(
    made.map(({ identity }) => identity.permissions.vm.grant({ vmId: 'vm', allowedLinuxUsers: ['dev'] })),
  );
  assert.ok(grants.every(({ allowedLinuxUsers }) => allowedLinuxUsers.length === 1));
  const { total } = await freestyle.identities.list({ limit: 1 });
  assert.equal(total, 100);
});
