import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';
/** Nothing of a test outlives its run, and nobody comes in by the network. */
const SETTINGS = [
  "listen_addresses = ''",
  'fsync = off',
  'full_page_writes = off',
  'max_connections = 300',
  'shared_buffers = 64MB',
];

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** A PostgreSQL of its own in `folder`, reached by a socket there. */
export class Cluster {
  readonly #folder: string;
  readonly #owner: Owner;

  constructor(folder: string) {
    this.#folder = folder;
    this.#owner = ownerOf();
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  urlOf(database: string): string {
    return `postgres://postgres@localhost/${database}?host=${encodeURIComponent(this.#folder)}`;
  }

  get isMade(): boolean {
    return existsSync(join(this.#data, 'PG_VERSION'));
  }

  async make(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    chmodSync(this.#folder, 0o755);
    const { uid, gid } = this.#owner;
    if (uid !== undefined && gid !== undefined) chownSync(this.#folder, uid, gid);
    const flags = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale', 'C.UTF-8'];
    await this.#run('initdb', ['-D', this.#data, ...flags]);
    const settings = [...SETTINGS, `unix_socket_directories = '${this.#folder}'`];
    writeFileSync(join(this.#data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`);
    await this.start();
  }

  async start(): Promise<void> {
    await this.#run('pg_ctl', ['-D', this.#data, '-l', join(this.#folder, 'log'), '-w', 'start']);
  }

  /** `immediate` is as when the machine loses power. */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    await this.#run('pg_ctl', ['-D', this.#data, '-m', mode, '-w', 'stop']);
  }

  async remove(): Promise<void> {
    if (existsSync(join(this.#data, 'postmaster.pid'))) await this.stop('immediate');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #run(program: string, flags: readonly string[]): Promise<void> {
    await run(join(binaries(), program), flags, { ...this.#owner, cwd: '/' });
  }
}

/** PostgreSQL refuses to run as root: there it is its own user's. */
function ownerOf(): Owner {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Debian keeps them out of the way of PATH, by version. */
function binaries(): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const newest = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1);
  return newest === undefined ? '' : join(DEBIAN, newest, 'bin');
}
