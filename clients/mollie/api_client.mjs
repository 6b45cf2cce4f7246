// The unmodified @mollie/api-client: one call per line of JSON, answered by one. It speaks TLS only, and trusts only authorities that it
// brings along: NODE_TLS_REJECT_UNAUTHORIZED=0 is for the test's own certificate.

import { createInterface } from 'node:readline';

import { createMollieClient } from '@mollie/api-client';

const url = process.argv[2];

function client(token) {
  const made = createMollieClient({ accessToken: token ?? 'access_none', apiEndpoint: `${url}/v2/` });
  // The one address that it has no option for.
  made.oauth.endpoint = `${url}/oauth2/tokens`;
  return made;
}

const credentials = ({ client_id, client_secret }) => ({ clientId: client_id, clientSecret: client_secret });
const plain = (value) => JSON.parse(JSON.stringify(value));

const calls = {
  list_permissions: async ({ token }) => plain(await client(token).permissions.list()),
  get_permission: async ({ token, id }) => plain(await client(token).permissions.get(id)),
  get_organization: async ({ token }) => plain(await client(token).organizations.getCurrent()),
  exchange: (asked) =>
    client().oauth.create({
      ...credentials(asked),
      grant_type: 'authorization_code',
      code: asked.code,
      redirect_uri: asked.redirect_uri,
    }),
  refresh: (asked) =>
    client().oauth.create({ ...credentials(asked), grant_type: 'refresh_token', refresh_token: asked.refresh_token }),
  revoke: (asked) => client().oauth.revoke({ ...credentials(asked), token: asked.token, token_type_hint: asked.hint }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let answer;
  try {
    answer = { answer: await calls[asked.call](asked) };
  } catch (error) {
    answer = { status: error.statusCode, title: error.title, detail: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
