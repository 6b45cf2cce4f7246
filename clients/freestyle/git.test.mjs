// The whole way of a repository with the seed's own client and stock git: made, cloned, pushed to, closed again.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Freestyle } from 'freestyle';

import { recordSecret, recordingFetch, Server } from './server.mjs';

const server = new Server('npm-freestyle-git');
const home = mkdtempSync(join(tmpdir(), 'grantd-git-'));
before(() => server.start());
after(async () => {
  await server.remove();
  rmSync(home, { recursive: true, force: true });
});

// Stock git with nobody's settings.
function git(...args) {
  const settings = { 'user.name': 'A Test', 'user.email': 'test@example.com', 'init.defaultBranch': 'main' };
  const set = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const env = { PATH: process.env.PATH, HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
  return new Promise((resolve) => {
    const child = spawn('git', [...set, ...args], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (text += piece));
    child.once('close', (code) => resolve({ code, text }));
  });
}

async function allowed(...args) {
  const { code, text } = await git(...args);
  assert.equal(code, 0, text);
  return text;
}

async function refused(expected, ...args) {
  const { code, text } = await git(...args);
  assert.notEqual(code, 0, `git ${args[0]} should have been refused`);
  assert.match(text, expected);
}

describe('identity, repository, grant, clone, push, revoke', () => {
  const tree = join(home, 'tree');
  let freestyle, identity, identityId, repoId, url;

  before(async () => {
    freestyle = new Freestyle({ baseUrl: server.url, apiKey: server.key, fetch: recordingFetch });
    ({ identity, identityId } = await freestyle.identities.create());
    ({ repoId } = await freestyle.git.repos.create({ name: 'site' }));
    const { token } = await identity.tokens.create();
    recordSecret('identity token', token);
    url = `http://x-access-token:${token}@127.0.0.1:${server.port}/git/${repoId}`;
  });

  test('without a grant there is no such repository', () => refused(/not found|404/i, 'clone', url, tree));

  test('read: it is cloned, and not pushed to', async () => {
    await identity.permissions.git.grant({ repoId, permission: 'read' });
    await allowed('clone', url, tree);
    writeFileSync(join(tree, 'README'), 'hello\n');
    await allowed('-C', tree, 'add', 'README');
    await allowed('-C', tree, 'commit', '-q', '-m', 'first');
    await refused(/403/, '-C', tree, 'push', 'origin', 'HEAD:main');
  });

  test('write: it is pushed to, and the client sees the branch', async () => {
    await identity.permissions.git.update({ repoId, permission: 'write' });
    await allowed('-C', tree, 'push', '-q', 'origin', 'HEAD:main');
    const head = (await allowed('-C', tree, 'rev-parse', 'HEAD')).trim();
    const { repositories } = await freestyle.git.repos.list({ limit: 10 });
    const { branches } = repositories.find(({ id }) => id === repoId);
    assert.deepEqual(branches, { main: { default: true, name: 'main', target: head } });
  });

  test('revoked: neither is let in', async () => {
    await identity.permissions.git.revoke({ repoId });
    await refused(/not found|404/i, '-C', tree, 'push', 'origin', 'HEAD:main');
    await refused(/not found|404/i, '-C', tree, 'fetch', 'origin');
  });

  test('without its identity the token is nothing', async () => {
    await identity.permissions.git.grant({ repoId, permission: 'read' });
    await allowed('-C', tree, 'fetch', 'origin');
    await freestyle.identities.delete({ identityId });
    await refused(/Authentication failed|401/, '-C', tree, 'fetch', 'origin');
  });
});
