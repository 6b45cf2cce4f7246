// A grantd process for one test file: started on a fresh directory, restarted on the same one, ended at the end.
// It keeps the same records as the Python harness: logs/, secrets.tsv, errors.log below the run directory.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const RUN = process.env.GRANTD_RUN_DIR ?? join(ROOT, 'target', 'run');

function binary() {
  // Several nodes that look like one process.
  if (process.env.GRANTD_TEST_NODES) return join(ROOT, 'clients', 'balanced.py');
  if (process.env.GRANTD_BIN) return process.env.GRANTD_BIN;
  const built = ['release', 'debug'].map((kind) => join(ROOT, 'target', kind, 'grantd')).filter(existsSync);
  if (built.length === 0) throw new Error('no grantd binary: build one or set GRANTD_BIN');
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

// Notes a secret; no log and no error body of the run may contain it.
export function recordSecret(kind, value) {
  mkdirSync(RUN, { recursive: true });
  appendFileSync(join(RUN, 'secrets.tsv'), `${kind}\t${value}\n`);
  return value;
}

// The runtime's own fetch, which also keeps every answer that was not a success.
export async function recordingFetch(input, init) {
  const answer = await fetch(input, init);
  if (answer.status >= 400) {
    const text = await answer.clone().text();
    appendFileSync(join(RUN, 'errors.log'), `${init?.method ?? 'GET'} ${input} ${answer.status} ${text}\n`);
  }
  return answer;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export class Server {
  // `args` go behind the usual ones; with `--tls-self-signed` among them the address is an https one.
  constructor(name, args = []) {
    this.args = args;
    this.scheme = args.includes('--tls-self-signed') ? 'https' : 'http';
    mkdirSync(join(RUN, 'logs'), { recursive: true });
    mkdirSync(join(RUN, 'data'), { recursive: true });
    this.data = mkdtempSync(join(RUN, 'data', `${name}-`));
    this.log = join(RUN, 'logs', `${name}.log`);
    this.key = recordSecret('api key', `gdk_${randomBytes(20).toString('hex')}`);
    this.password = recordSecret('password', `pw-${randomBytes(12).toString('hex')}`);
  }

  async start() {
    this.port ??= await freePort();
    this.url = `${this.scheme}://127.0.0.1:${this.port}`;
    const log = openSync(this.log, 'a');
    this.process = spawn(binary(), ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.port}`, ...this.args], {
      env: {
        ...process.env,
        GRANTD_BOOTSTRAP_API_KEY: this.key,
        GRANTD_BOOTSTRAP_PASSWORD: this.password,
        // Each request too, so that the search for secrets has something to search.
        GRANTD_LOG: 'debug,h2=info,hyper=info',
      },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.ended = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve({ code, signal })));
    for (let tries = 0; tries < 600; tries += 1) {
      if (this.process.exitCode !== null) {
        throw new Error(`grantd ended with ${this.process.exitCode} at start:\n${readFileSync(this.log)}`);
      }
      const ready = await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return this;
      await sleep(50);
    }
    await this.stop('SIGKILL');
    throw new Error(`grantd was not ready within 30 s:\n${readFileSync(this.log)}`);
  }

  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    return this.ended;
  }

  async restart() {
    await this.stop();
    return this.start();
  }

  async remove() {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }
}
