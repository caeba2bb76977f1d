import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import type { ReadResult, WireMessage } from '../../src/dialect/dialect.ts';
import { nativeDialect } from '../../src/dialect/native/dialect.ts';
import { openLine, openStartedLine, saidBy } from './wire.ts';

const DOCS = resolve(import.meta.dirname, '../../docs');
const page = readFileSync(resolve(DOCS, 'protocol.md'), 'utf8');
const schema = JSON.parse(readFileSync(resolve(DOCS, 'protocol.schema.json'), 'utf8')) as {
  readonly $id: string;
  readonly $defs: { readonly [side in 'client' | 'server']: { readonly oneOf: readonly { $ref: string }[] } };
};

type Side = 'client' | 'server';

const ajv = new Ajv2020({
  allErrors: true,
  allowUnionTypes: true,
  strictTypes: false,
  strictRequired: false,
});
ajv.addSchema(schema);
const isOf: Record<Side, ValidateFunction> = {
  client: ajv.compile({ $ref: `${schema.$id}#/$defs/client` }),
  server: ajv.compile({ $ref: `${schema.$id}#/$defs/server` }),
};

interface Example {
  readonly side: Side;
  readonly message: JsonObject;
}

const examples: readonly Example[] = [...page.matchAll(/```json (client|server)\n([^`]*)```/g)].map(
  ([, side, text]) => ({ side: side as Side, message: JSON.parse(text!) as JsonObject }),
);

function saidOnPageBy(side: Side): readonly JsonObject[] {
  return examples.filter((example) => example.side === side).map(({ message }) => message);
}

function wordsOf(side: Side): Set<unknown> {
  return new Set(schema.$defs[side].oneOf.map(({ $ref }) => $ref.slice($ref.lastIndexOf('/') + 1)));
}

/** What does not fit its side's schema, and why. */
function misfitsOf(side: Side, messages: readonly unknown[]): unknown[] {
  return messages.flatMap((message) => (isOf[side](message) ? [] : [{ message, errors: isOf[side].errors }]));
}

function sessionReads(message: JsonObject): ReadResult {
  const isFirst = ['start', 'resume'].includes(String(message['type']));
  return (isFirst ? openLine(nativeDialect) : openStartedLine(nativeDialect)).text(message);
}

describe('the page of the protocol', () => {
  it.each(['client', 'server'] as const)('shows every word of the %s, and no other', (side) => {
    expect(new Set(saidOnPageBy(side).map(({ type }) => type))).toEqual(wordsOf(side));
  });

  it.each(['client', 'server'] as const)('shows only what its schema allows to the %s', (side) => {
    expect(misfitsOf(side, saidOnPageBy(side))).toEqual([]);
  });

  it('shows only what our server understands', () => {
    const refused = saidOnPageBy('client').filter((message) => sessionReads(message).type === 'refusal');
    expect(refused).toEqual([]);
  });

  it('shows only what our client understands', () => {
    const { caller, inbound } = openStartedLine(nativeDialect);
    const refused = saidOnPageBy('server').filter(
      (message) => caller.read(Buffer.from(JSON.stringify(message)), false, inbound).type === 'refusal',
    );
    expect(refused.map(({ type }) => type)).toEqual(['error']);
  });

  it('has no block of JSON that nobody checks', () => {
    expect(page.match(/```json/g)).toHaveLength(examples.length);
  });

  it('has no link that leads nowhere within it', () => {
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, target]) => target!);
    expect(links.filter((target) => !headings.includes(target))).toEqual([]);
  });
});

describe('the schema', () => {
  it('allows everything our client writes', () => {
    const openings = [
      {},
      { rtpHeaders: true, from: null, to: null },
      { resumeToken: 't', wantsEvents: false },
    ];
    for (const options of openings) {
      const { caller } = openStartedLine(nativeDialect, options);
      const said = [...caller.hello(), ...caller.dtmf('#'), caller.markPlayed('m')!, ...caller.goodbye()];
      expect(misfitsOf('client', said.map(saidBy))).toEqual([]);
    }
  });

  it('allows everything our server writes', () => {
    const { session, text } = openStartedLine(nativeDialect);
    const facts = {
      callId: 'call_1',
      legId: 'leg_1',
      resumeUrls: ['wss://a/media/native'],
      resumeWindowMs: 30_000,
    };
    const event = examples.find(({ message }) => message['type'] === 'event')!.message['event'] as JsonObject;
    text({ type: 'ping', id: 'p' });
    const said: (WireMessage | undefined)[] = [
      session.writeAnswer({ id: 'p', ok: true }),
      session.writeStarted({ ...facts, resumed: false, resumeToken: 't' }),
      session.writeStarted({ ...facts, resumed: true, resumeToken: null }),
      session.writeEvent(event),
      session.writeMark('m'),
      session.writeMarkPlayed?.('m', 340),
      session.writeClear(),
      session.writeDtmf('5'),
      session.writeAnswer({ id: 'c', ok: true, value: {} }),
      session.writeAnswer({ id: 'c', ok: false, fault: 'not_found', detail: 'no such command' }),
      session.writeAnswer({ id: null, ok: false, fault: 'not_json' }),
      session.writeGoaway({ url: 'wss://b/media/native', token: 't', reason: 'draining' }),
      session.writeEnd('max_duration'),
    ];
    expect(misfitsOf('server', said.map(saidBy))).toEqual([]);
    const words = said.map((message) => (saidBy(message) as JsonObject)['type']);
    expect(new Set(words)).toEqual(wordsOf('server'));
  });

  it.each([
    { type: 'start', version: 2 },
    { type: 'start', format: { codec: 'gsm' } },
    { type: 'start', format: { codec: 'g722', rate: 48000 } },
    { type: 'start', format: { codec: 'l16', rate: 44100 } },
    { type: 'start', format: { codec: 'pcmu', rate: 16000 } },
    { type: 'start', format: { in: { codec: 'gsm' } } },
    { type: 'start', format: 'pcmu' },
    { type: 'start', rtp: 'perhaps' },
    { type: 'start', gate: 'open' },
    { type: 'start', parameters: { a: {} } },
    { type: 'resume' },
    { type: 'resume', token: '' },
    { type: 'mark' },
    { type: 'mark_played', name: '' },
    { type: 'dtmf', digit: '55' },
    { type: 'dtmf', digit: '5', duration_ms: -1 },
    { type: 'command', name: 'Hang Up' },
    { type: 'command', name: 'hang_up', args: [] },
    { type: 'ping', id: '' },
  ])('refuses what the server refuses: %j', (message) => {
    expect(sessionReads(message).type).toBe('refusal');
    expect(isOf.client(message)).toBe(false);
  });

  it('refuses what no server of ours says', () => {
    const started = examples.find(({ message }) => message['type'] === 'started')!.message;
    for (const member of ['call_id', 'format', 'rtp', 'resume']) {
      const { [member]: _, ...rest } = started;
      expect(isOf.server(rest), `started without ${member}`).toBe(false);
    }
    expect(isOf.server({ type: 'result', id: 'c', ok: false })).toBe(false);
    expect(isOf.server({ type: 'start' })).toBe(false);
  });
});
