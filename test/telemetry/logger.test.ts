import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLogger, type Logger } from '../../src/telemetry/logger.ts';
import { redactLine } from '../../src/telemetry/redaction.ts';

const SOURCES = join(import.meta.dirname, '../../src/telemetry');
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uIjp7fX0.c2lnbmF0dXJlLW9mLWl0';
const SECRETS = [
  'omf_live_Sup3rS3cretApiKey0123456789',
  'omf_test_An0therApiKey0123456789abcd',
  'whsec_bm9ib2R5LXNob3VsZC1zZWUtdGhpcw==',
  JWT,
  'pl41n-l00king-credential',
];

function openLog(level = 'info'): {
  log: Logger;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = '';
  const destination = { write: (line: string) => void (text += line) };
  const log = openLogger({ level, base: { plane: 'node', node: 0 }, destination });
  const lines = (): Record<string, unknown>[] =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, text: () => text };
}

describe('the log', () => {
  it('is JSON, one line each, with level, time and place by name', () => {
    const { log, lines } = openLog();
    log.child({ call_id: 'call_1' }).warn({ legs: 3 }, 'a leg\nwas lost');
    log.debug('not this');
    expect(lines()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        plane: 'node',
        node: 0,
        pid: process.pid,
        call_id: 'call_1',
        legs: 3,
        msg: 'a leg\nwas lost',
      },
    ]);
  });

  it.each(SECRETS)('never shows %s, wherever it is', (secret) => {
    const { log, lines, text } = openLog('trace');
    const error = new Error(`refused ws://127.0.0.1:8081/media/twilio/${secret}?x=1`);
    log.info(
      { headers: { authorization: `Bearer ${secret}`, 'x-api-key': secret, cookie: secret } },
      'request',
    );
    log.info(
      { req: { headers: { 'X-API-Key': [secret] }, url: `/media/native?token=${secret}&a=b` } },
      'deep',
    );
    log.info({
      token: secret,
      session_token: secret,
      secrets: [secret, `]${secret}`],
      signingSecret: secret,
    });
    log.info({ secret: { value: secret, list: [secret, { deeper: `}${secret}` }] } }, 'object');
    log.info({ settings: { encryptionKeys: [{ id: 'k1', key: secret }], apiKey: secret } }, 'settings');
    log.error({ err: error }, `at /media/twilio/r/${secret}`);
    log.child({ credential: secret }).info({ body: JSON.stringify({ token: secret }) }, 'quoted');
    expect(lines()).toHaveLength(7);
    expect(text()).not.toContain(secret);
    expect(text()).not.toContain(secret.slice(-12));
  });

  it('shows what is no secret', () => {
    const { log, lines } = openLog();
    const facts = {
      path: '/api/v1/calls?limit=5',
      media: 'ws://127.0.0.1:8081/media/twilio',
      tokens: 12,
      event: 'key_created',
      keys: ['a', 'b'],
      id: 'evt_01J0000000',
    };
    log.info(facts, 'the secretary keeps tokens of regard');
    expect(lines()[0]).toMatchObject({ ...facts, msg: 'the secretary keeps tokens of regard' });
  });

  it('hides bytes of a key as well as its text', () => {
    const { log, text, lines } = openLog();
    log.info({ signingSecret: [Buffer.from('0123456789')], dataDir: '/data' }, 'settings');
    expect(lines()[0]).toMatchObject({ signingSecret: '<redacted>', dataDir: '/data' });
    expect(text()).not.toContain('48,49,50');
  });

  it('stays quick on a long line without an end', () => {
    const before = process.cpuUsage();
    redactLine(`{"msg":"${'{"token":['.repeat(20_000)}"}`);
    redactLine(`{"msg":"${'token'.repeat(20_000)}"}`);
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });

  it('reaches stdout although nothing waits for it', () => {
    const script = `
      import { openLogger } from ${JSON.stringify(join(SOURCES, 'logger.ts'))};
      openLogger({ level: 'info', base: { plane: 'control' } }).info('last words');
    `;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(JSON.parse(run.stdout)).toMatchObject({ plane: 'control', msg: 'last words' });
  });

  it('drops lines that nobody reads, and /metrics says how many', async () => {
    const script = `
      import { Registry } from 'prom-client';
      import { openLogger, logStats } from ${JSON.stringify(join(SOURCES, 'logger.ts'))};
      import { addProcessMetrics } from ${JSON.stringify(join(SOURCES, 'process-metrics.ts'))};
      const registry = new Registry();
      addProcessMetrics(registry, { read: () => ({ p50Ms: 0, p99Ms: 0, maxMs: 0 }) });
      const log = openLogger({ level: 'info', base: {} });
      while (logStats.droppedLines < 10) {
        log.info('x'.repeat(1_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const metrics = await registry.getMetricsAsJSON();
      const { values } = metrics.find(({ name }) => name === 'omnivoice_log_lines_dropped_total');
      process.stderr.write(String(values[0].value));
      process.kill(process.pid, 'SIGKILL');
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: SOURCES });
    let told = '';
    child.stderr.on('data', (text) => (told += String(text)));
    await new Promise((resolve) => child.once('exit', resolve));
    expect(told).toBe('10');
  });
});
