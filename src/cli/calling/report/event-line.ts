import { isObject, numberOf, textOf, type JsonObject } from '../../../base/json.ts';
import type { SeenEvent } from '../events/event-watch.ts';

const TYPE_CHARACTERS = 18;
const DETAIL_CHARACTERS = 34;

/** One event as a line: when in the call, what, how long it took to get here. */
export function eventLine(event: SeenEvent, data: JsonObject, sinceStartMs: number): string {
  const { latencyMs, sinceOnsetMs, sinceDecidedMs } = event;
  const at = `${(sinceStartMs / 1000).toFixed(2)} s`.padStart(9);
  const type = event.type.padEnd(TYPE_CHARACTERS);
  const detail = detailOf(event.type, data).padEnd(DETAIL_CHARACTERS);
  const since = [
    ...(sinceDecidedMs === undefined ? [] : [`${sinceDecidedMs.toFixed(1)} ms after the deciding frame`]),
    ...(sinceOnsetMs === undefined ? [] : [`${Math.round(sinceOnsetMs)} ms after the first sound`]),
  ].join(', ');
  return `${at}  ${type} ${detail} ${`${latencyMs} ms`.padStart(7)}${since === '' ? '' : `   ${since}`}`;
}

function detailOf(type: string, data: JsonObject): string {
  const words = [textOf(data['role']), ...ownWords(type, data)];
  return words.filter((word) => word !== undefined && word !== '').join('  ');
}

function ownWords(type: string, data: JsonObject): (string | undefined)[] {
  switch (type) {
    case 'call_started':
      return [textOf(data['direction']), textOf(data['from']), '→', textOf(data['to'])];
    case 'leg_connected':
      return [textOf(data['dialect']), textOf(data['codec'])];
    case 'voice_detected':
      return [`onset ${textOf(data['onset_ms'])} ms`, withUnit(data['level_dbfs'], 'dBFS')];
    case 'voice_ended':
      return [`spoke ${textOf(data['duration_ms'])} ms`];
    case 'dtmf_received':
      return [textOf(data['digit'])];
    case 'mark_reached':
      return [textOf(data['name'])];
    case 'call_completed':
      return [withUnit(data['duration_ms'], 'ms'), talkOf(data['talk_ms'])];
    default:
      return [textOf(data['reason'])];
  }
}

function talkOf(talkMs: unknown): string | undefined {
  const callerMs = isObject(talkMs) ? numberOf(talkMs['caller']) : undefined;
  return callerMs === undefined ? undefined : `caller spoke ${callerMs} ms`;
}

function withUnit(value: unknown, unit: string): string | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : `${text} ${unit}`;
}
