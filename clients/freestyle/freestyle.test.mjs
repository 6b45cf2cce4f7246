// The seed's own client, npm freestyle 0.1.63 as published, against a real server: at the root and under the mount.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Errors, Freestyle } from 'freestyle';

import { recordSecret, recordingFetch, Server } from './server.mjs';

const server = new Server('npm-freestyle');
before(() => server.start());
after(() => server.remove());

// The class is the one the client's own table names, and it carries the server's body.
async function refused(call, ErrorClass) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ErrorClass, `${error.constructor.name} in place of ${ErrorClass.name}: ${error.message}`);
    assert.equal(error.body.code, ErrorClass.code);
    assert.equal(error.body.error, ErrorClass.code);
    assert.equal(typeof error.body.message, 'string');
    return true;
  });
}

async function newToken(identity) {
  const made = await identity.tokens.create();
  recordSecret('identity token', made.token);
  return made;
}

for (const base of ['', '/freestyle', '/freestyle/']) {
  describe(`freestyle at ${base || '/'}`, () => {
    let freestyle;
    const connect = (credential) => new Freestyle({ baseUrl: server.url + base, fetch: recordingFetch, ...credential });
    before(() => {
      freestyle = connect({ apiKey: server.key });
    });

    test('identities: create, list, delete', async () => {
      const { total } = await freestyle.identities.list({ limit: 1 });
      const made = [];
      for (let n = 0; n < 3; n += 1) made.push((await freestyle.identities.create()).identityId);
      const page = await freestyle.identities.list({ limit: 2, cursor: String(total) });
      assert.deepEqual(page, {
        identities: made.slice(0, 2).map((id) => ({ id, managed: false })),
        offset: total,
        total: total + 3,
      });
      const rest = await freestyle.identities.list({ cursor: String(total + 2) });
      assert.deepEqual(rest.identities, [{ id: made[2], managed: false }]);
      assert.deepEqual(await freestyle.identities.delete({ identityId: made[1] }), {});
      const left = await freestyle.identities.list({ cursor: String(total) });
      assert.deepEqual(left.identities.map(({ id }) => id), [made[0], made[2]]);
      await refused(() => freestyle.identities.delete({ identityId: made[1] }), Errors.IdentityNotFoundError);
    });

    test('identities: managed ones show when asked for', async () => {
      const answer = await freestyle.fetch('/v5/identities', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"managed":true}',
      });
      const { id } = await answer.json();
      const list = async (query) => (await (await freestyle.fetch(`/identity/v1/identities?limit=1000${query}`)).json()).identities;
      assert.ok(!(await list('')).some((identity) => identity.id === id));
      assert.ok((await list('&includeManaged=true')).some((identity) => identity.id === id && identity.managed));
      await refused(() => freestyle.identities.delete({ identityId: id }), Errors.CannotDeleteManagedIdentityError);
      const grant = freestyle.identities.ref({ identityId: id }).permissions.vms;
      await refused(() => grant.grant({ vmId: 'vm' }), Errors.CannotModifyManagedIdentityError);
    });

    test('tokens: create, use, list, revoke', async () => {
      const { identity, identityId } = await freestyle.identities.create();
      const first = await newToken(identity);
      const second = await newToken(identity);
      assert.deepEqual(await identity.tokens.list(), { tokens: [{ id: first.tokenId }, { id: second.tokenId }] });
      const holder = connect({ accessToken: first.token });
      const { accountId } = await freestyle.whoami();
      assert.deepEqual(await holder.whoami(), { accountId, identityId });
      assert.deepEqual(await identity.tokens.revoke({ tokenId: first.tokenId }), {});
      await assert.rejects(() => holder.whoami(), /Failed to get whoami: 401 .*UNAUTHORIZED/);
      assert.deepEqual(await identity.tokens.list(), { tokens: [{ id: second.tokenId }] });
      // This client knows no code for an unknown token; it must still hear ours.
      await assert.rejects(() => identity.tokens.revoke({ tokenId: first.tokenId }), /Unknown error code: TOKEN_NOT_FOUND/);
    });

    test('repositories: create, list, look, delete', async () => {
      const { total } = await freestyle.git.repos.list({ limit: 1 });
      const { repoId, repo } = await freestyle.git.repos.create({ name: 'site', defaultBranch: 'trunk' });
      assert.deepEqual(await repo.branches.getDefaultBranch(), { defaultBranch: 'trunk' });
      assert.deepEqual(await repo.branches.setDefaultBranch({ defaultBranch: 'main' }), {});
      const listed = await freestyle.git.repos.list({ limit: 1000 });
      assert.equal(listed.total, total + 1);
      const entry = listed.repositories.find(({ id }) => id === repoId);
      assert.equal(entry.defaultBranch, 'main');
      assert.deepEqual(await freestyle.git.repos.delete({ repoId }), {});
      await refused(() => freestyle.git.repos.delete({ repoId }), Errors.RepositoryNotFoundError);
      await refused(() => repo.branches.getDefaultBranch(), Errors.RepositoryNotFoundError);
    });

    test('git permissions: grant, get, update, list, revoke', async () => {
      const { identity, identityId } = await freestyle.identities.create();
      const { accountId } = await freestyle.whoami();
      const { repoId } = await freestyle.git.repos.create({ name: 'code', public: true });
      const git = identity.permissions.git;
      assert.deepEqual(await git.get({ repoId }), { identity: identityId, repo: repoId, accessLevel: null });
      assert.deepEqual(await git.grant({ repoId, permission: 'read' }), {});
      assert.deepEqual(await git.get({ repoId }), { identity: identityId, repo: repoId, accessLevel: 'read' });
      await refused(() => git.grant({ repoId, permission: 'write' }), Errors.PermissionAlreadyExistsError);
      assert.deepEqual(await git.update({ repoId, permission: 'write' }), {});
      assert.deepEqual(await git.list(), {
        repositories: [{ id: repoId, name: 'code', accountId, permissions: 'write', visibility: 'public' }],
      });
      assert.deepEqual(await git.revoke({ repoId }), {});
      assert.deepEqual(await git.list(), { repositories: [] });
      await refused(() => git.revoke({ repoId }), Errors.PermissionNotFoundError);
      await refused(() => git.update({ repoId, permission: 'read' }), Errors.PermissionNotFoundError);
      await refused(() => git.grant({ repoId: randomUUID(), permission: 'read' }), Errors.GitRepositoryNotFoundError);
      await refused(() => git.grant({ repoId, permission: 'admin' }), Errors.InvalidRequestError);
      await refused(() => git.get({ repoId: 'not-a-uuid' }), Errors.InvalidRequestError);
    });

    for (const [name, sent, users] of [
      ['nothing said', undefined, null],
      ['null', null, null],
      ['a list', ['dev', 'ops'], ['dev', 'ops']],
      ['an empty list', [], []],
    ]) {
      test(`VM permissions: grant with ${name}`, async () => {
        const { identity, identityId } = await freestyle.identities.create();
        const { accountId } = await freestyle.whoami();
        const vms = identity.permissions.vms;
        const made = await vms.grant({ vmId: 'vm/1 %', allowedUsers: sent });
        const { id, grantedAt, ...rest } = made;
        assert.match(id, /^[0-9a-f-]{36}$/);
        assert.ok(!Number.isNaN(Date.parse(grantedAt)));
        assert.deepEqual(rest, { vmId: 'vm/1 %', identityId, allowedUsers: users, grantedBy: accountId });
        assert.deepEqual(await vms.get({ vmId: 'vm/1 %' }), made);
        assert.deepEqual(await vms.list(), { permissions: [made], offset: 0, total: 1 });
        for (const allowedUsers of [['root'], [], null]) {
          assert.deepEqual(await vms.update({ vmId: 'vm/1 %', allowedUsers }), { ...made, allowedUsers });
          assert.deepEqual(await vms.get({ vmId: 'vm/1 %' }), { ...made, allowedUsers });
        }
        await refused(() => vms.grant({ vmId: 'vm/1 %' }), Errors.PermissionAlreadyExistsError);
        // Left out, the field is not sent at all; that must not open the VM.
        await refused(() => vms.update({ vmId: 'vm/1 %' }), Errors.InvalidRequestError);
        await refused(() => vms.update({ vmId: 'vm/1 %', allowedUsers: ['../x'] }), Errors.InvalidRequestError);
        assert.deepEqual(await vms.revoke({ vmId: 'vm/1 %' }), {});
        for (const call of ['get', 'revoke']) {
          await refused(() => vms[call]({ vmId: 'vm/1 %' }), Errors.VmPermissionNotFoundError);
        }
        await refused(() => vms.update({ vmId: 'vm/1 %', allowedUsers: null }), Errors.VmPermissionNotFoundError);
      });
    }

    test('VM permissions: pages', async () => {
      const { identity } = await freestyle.identities.create();
      const made = [];
      for (let n = 0; n < 5; n += 1) made.push(await identity.permissions.vms.grant({ vmId: `vm-${n}` }));
      assert.deepEqual(await identity.permissions.vms.list({ limit: 2, cursor: '2' }), {
        permissions: made.slice(2, 4),
        offset: 2,
        total: 5,
      });
      await refused(() => identity.permissions.vms.list({ limit: -1 }), Errors.InvalidRequestError);
    });

    test('an identity token opens no administration', async () => {
      const { identity, identityId } = await freestyle.identities.create();
      const holder = connect({ accessToken: (await newToken(identity)).token });
      const self = holder.identities.ref({ identityId });
      const { repoId } = await freestyle.git.repos.create({});
      for (const call of [
        () => holder.identities.create(),
        () => holder.identities.list(),
        () => holder.identities.delete({ identityId }),
        () => self.tokens.create(),
        () => self.tokens.list(),
        () => self.tokens.revoke({ tokenId: randomUUID() }),
        () => self.permissions.git.grant({ repoId, permission: 'write' }),
        () => self.permissions.git.list(),
        () => self.permissions.vms.grant({ vmId: 'vm' }),
        () => self.permissions.vms.update({ vmId: 'vm', allowedUsers: null }),
        () => self.permissions.vms.list(),
        () => holder.git.repos.create({}),
        () => holder.git.repos.delete({ repoId }),
      ]) {
        await refused(call, Errors.ForbiddenError);
      }
      assert.deepEqual(await identity.permissions.vms.list(), { permissions: [], offset: 0, total: 0 });
    });

    test('credentials that are none', async () => {
      const { identity } = await freestyle.identities.create();
      const { token } = await newToken(identity);
      for (const credential of [{ apiKey: 'gdk_wrong' }, { apiKey: token }, { accessToken: 'wrong' }, { accessToken: server.key }]) {
        await refused(() => connect(credential).identities.list(), Errors.UnauthorizedError);
      }
    });

    test('unknown identity, bad id, unknown route', async () => {
      const nobody = freestyle.identities.ref({ identityId: randomUUID() });
      await refused(() => nobody.tokens.create(), Errors.IdentityNotFoundError);
      await refused(() => nobody.permissions.git.list(), Errors.IdentityNotFoundError);
      await refused(() => nobody.permissions.vms.grant({ vmId: 'vm' }), Errors.IdentityNotFoundError);
      const bad = freestyle.identities.ref({ identityId: 'not-a-uuid' });
      await refused(() => bad.tokens.list(), Errors.InvalidRequestError);
      // Routes we do not have are still answered in words that this client can read.
      const repo = freestyle.git.repos.ref({ repoId: randomUUID() });
      await refused(() => repo.compare({ base: 'a', head: 'b' }), Errors.InvalidRequestError);
    });
  });
}

test('everything survives a restart', async () => {
  const freestyle = new Freestyle({ baseUrl: server.url, apiKey: server.key, fetch: recordingFetch });
  const { identity, identityId } = await freestyle.identities.create();
  const { token } = await newToken(identity);
  const { repoId } = await freestyle.git.repos.create({ name: 'kept' });
  await identity.permissions.git.grant({ repoId, permission: 'write' });
  await identity.permissions.vms.grant({ vmId: 'kept', allowedUsers: [] });
  const gone = await newToken(identity);
  await identity.tokens.revoke({ tokenId: gone.tokenId });
  const see = async () => ({
    me: await freestyle.whoami(),
    identities: await freestyle.identities.list({ limit: 1000 }),
    tokens: await identity.tokens.list(),
    git: await identity.permissions.git.list(),
    vms: await identity.permissions.vms.list(),
    repos: await freestyle.git.repos.list({ limit: 1000 }),
    holder: await new Freestyle({ baseUrl: server.url, accessToken: token }).whoami(),
  });
  const seen = await see();
  await server.restart();
  assert.deepEqual(await see(), seen);
  assert.equal(seen.holder.identityId, identityId);
  await assert.rejects(() => new Freestyle({ baseUrl: server.url, accessToken: gone.token }).whoami(), /401/);
});
