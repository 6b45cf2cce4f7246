// The newest client, npm freestyle 0.2.17 as published: /v5/identities over the same store.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Freestyle, FreestyleApiError } from 'freestyle-v5';

import { recordSecret, recordingFetch, Server } from './server.mjs';

const server = new Server('npm-freestyle-v5');
before(() => server.start());
after(() => server.remove());

function refused(call, status, code) {
  return assert.rejects(call, (error) => {
    assert.ok(error instanceof FreestyleApiError, String(error));
    assert.deepEqual({ status: error.status, code: error.code }, { status, code });
    assert.ok(error.message.length > 0);
    return true;
  });
}

for (const base of ['', '/freestyle']) {
  describe(`freestyle-v5 at ${base || '/'}`, () => {
    let freestyle;
    const connect = (credential) => new Freestyle({ baseUrl: server.url + base, fetch: recordingFetch, ...credential });
    before(() => {
      freestyle = connect({ apiKey: server.key });
    });

    test('identities', async () => {
      const { identity, identityId, data } = await freestyle.identities.create();
      assert.deepEqual(data, { id: identityId, managed: false });
      const { accountId, ...rest } = await identity.data();
      assert.match(accountId, /^[0-9a-f-]{36}$/);
      assert.deepEqual(rest, { id: identityId, managed: false });
      assert.deepEqual(await freestyle.identities.get(identityId), { accountId, ...rest });
      const { identities, total } = await freestyle.identities.list({ limit: 1000 });
      assert.equal(total, identities.length);
      assert.ok(identities.some(({ id }) => id === identityId));
      await identity.delete();
      await refused(() => identity.data(), 404, 'IDENTITY_NOT_FOUND');
    });

    test('managed identities', async () => {
      const { identity, identityId, data } = await freestyle.identities.create({ managed: true });
      assert.deepEqual(data, { id: identityId, managed: true });
      const ids = async (options) => (await freestyle.identities.list({ limit: 1000, ...options })).identities.map(({ id }) => id);
      assert.ok(!(await ids({})).includes(identityId));
      assert.ok((await ids({ includeManaged: true })).includes(identityId));
      await refused(() => identity.delete(), 403, 'CANNOT_DELETE_MANAGED_IDENTITY');
    });

    test('tokens', async () => {
      const { identity } = await freestyle.identities.create();
      assert.deepEqual(await identity.tokens.list(), []);
      const { id, token } = await identity.tokens.create();
      recordSecret('identity token', token);
      assert.deepEqual(await identity.tokens.list(), [{ id }]);
      const holder = connect({ identityAccessToken: token });
      await refused(() => holder.identities.list(), 403, 'FORBIDDEN');
      await identity.tokens.revoke(id);
      await refused(() => holder.identities.list(), 401, 'UNAUTHORIZED');
      await refused(() => identity.tokens.revoke(id), 404, 'TOKEN_NOT_FOUND');
    });

    test('VM permissions', async () => {
      const { identity, identityId } = await freestyle.identities.create();
      const vms = identity.permissions.vm;
      const made = await vms.grant({ vmId: 'vm/1', allowedLinuxUsers: ['dev'] });
      assert.deepEqual([made.vmId, made.identityId, made.allowedLinuxUsers], ['vm/1', identityId, ['dev']]);
      assert.deepEqual(await vms.get('vm/1'), made);
      assert.deepEqual(await vms.list(), [made]);
      for (const users of [[], ['root'], null]) {
        assert.deepEqual(await vms.update('vm/1', users), { ...made, allowedLinuxUsers: users });
      }
      await refused(() => vms.update('vm/1', undefined), 400, 'INVALID_REQUEST');
      await refused(() => vms.grant({ vmId: 'vm/1' }), 409, 'PERMISSION_ALREADY_EXISTS');
      await vms.revoke('vm/1');
      await refused(() => vms.get('vm/1'), 404, 'VM_PERMISSION_NOT_FOUND');
      assert.deepEqual(await vms.list(), []);
    });

    test('errors', async () => {
      await refused(() => freestyle.identities.get(randomUUID()), 404, 'IDENTITY_NOT_FOUND');
      await refused(() => freestyle.identities.get('not-a-uuid'), 400, 'INVALID_REQUEST');
      await refused(() => connect({ apiKey: 'gdk_wrong' }).identities.list(), 401, 'UNAUTHORIZED');
    });
  });
}
