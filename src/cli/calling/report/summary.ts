import type { Spread } from '../distribution.ts';
import type { AudioReport, CallReport, RunReport } from './report.ts';

const LABEL_CHARACTERS = 12;
const FAILURES_SHOWN = 5;
/** The 95th percentile of fewer is their maximum. */
const FEW = 20;
const OWN_LATENESS_MS_MAX = 10;

/** A run in a few lines, for people. */
export function summaryOf(report: RunReport): string {
  const rows: [string, string][] = [
    ['Calls', callsWords(report)],
    ...failureRows(report.per_call),
    ['Events', eventsWords(report)],
    ...audioRows(report),
    ...recordRows(report.per_call),
  ];
  return rows.map(([label, words]) => `${label.padEnd(LABEL_CHARACTERS)}${words}\n`).join('');
}

function callsWords(report: RunReport): string {
  const { calls, completed_calls: completed, per_call: perCall, most_calls_at_once: most } = report;
  const [only] = perCall;
  if (calls === 1 && only !== undefined) {
    const seconds = (only.duration_ms / 1000).toFixed(1);
    return only.ok
      ? `completed after ${seconds} s (${only.reason}); connected in ${only.connect_ms ?? 0} ms`
      : `not completed (${seconds} s)`;
  }
  const connected = spreadWords(', connected in', report.connect_ms);
  return `${completed} of ${calls} completed, at most ${most} at once${connected}`;
}

function failureRows(calls: readonly CallReport[]): [string, string][] {
  const failed = calls.filter(({ ok }) => !ok);
  const rows = failed.slice(0, FAILURES_SHOWN).map((call): [string, string] => {
    const isHungUp = call.outcome !== 'failed';
    const why = isHungUp ? 'hung up, but call_completed never came' : call.reason;
    return ['  failed', `#${call.number} ${call.call_id ?? ''} ${why}`.replace(/ {2,}/, ' ')];
  });
  const rest = failed.length - rows.length;
  return rest > 0 ? [...rows, ['', `and ${rest} more`]] : rows;
}

function eventsWords({ events, events_failure: failure }: RunReport): string {
  if (events === null) return `not followed: ${failure ?? 'unknown'}`;
  if (events.count === 0) return 'none';
  const { missing, duplicates, out_of_order: outOfOrder } = events;
  const order = events.in_order
    ? 'in order, none missing'
    : `${missing} missing, ${duplicates} twice, ${outOfOrder} out of order`;
  return `${events.count}, ${order}${spreadWords('; latency', events.latency_ms)}`;
}

function audioRows({ audio, events }: RunReport): [string, string][] {
  const known = events?.since_decided_ms ?? null;
  const steadiness = `longest gap ${audio.gap_max_ms} ms, ${audio.late_frames} late frames`;
  const rows: [string, string | null][] = [
    ['Voice', known === null ? null : `known${spreadWords('', known)} after the deciding frame`],
    ['Audio', framesWords(audio)],
    ['Round trip', audio.round_trip_ms === null ? null : spreadWords('', audio.round_trip_ms).trim()],
    ['Steadiness', audio.received_frames === 0 ? null : steadiness],
    ['Lines', linesWords(audio)],
    ['Note', ownUnrestWords(audio.sent_late_ms)],
  ];
  return rows.flatMap(([label, words]): [string, string][] => (words === null ? [] : [[label, words]]));
}

function framesWords(audio: AudioReport): string {
  const counts = `${audio.sent_frames} frames sent, ${audio.received_frames} heard`;
  const lost = audio.lost_on_purpose_frames;
  const late = audio.reordered_on_purpose_frames;
  if (lost + late > 0) return `${counts}; on purpose ${lost} lost, ${late} out of order`;
  if (audio.similarity_percent !== null) {
    return `${counts}, the echo is ${audio.similarity_percent} % like what was said`;
  }
  if (audio.identical === null) return counts;
  if (audio.identical) return `${counts}, the echo is identical`;
  const { missing_frames: missing, changed_frames: changed, repeated_frames: repeated } = audio;
  return `${counts}; the echo differs: ${missing} missing, ${changed} changed, ${repeated} twice`;
}

function linesWords({ moves, comebacks }: AudioReport): string | null {
  if (moves + comebacks === 0) return null;
  return `went to another node ${moves} times, came back after a loss ${comebacks} times`;
}

function recordRows(calls: readonly CallReport[]): [string, string][] {
  const files = calls.flatMap(({ recorded }) => recorded ?? []);
  const [first, last] = [files[0], files.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [['Recorded', first === last ? first : `${first} … ${last}`]];
}

function spreadWords(before: string, spread: Spread | null): string {
  if (spread === null) return '';
  const { count, p50, p95, p99, max } = spread;
  if (count === 1) return `${before} ${max} ms`;
  if (count < FEW) return `${before} p50 ${p50}, max ${max} ms`;
  return `${before} p50 ${p50}, p95 ${p95}, p99 ${p99}, max ${max} ms`;
}

// The tool shares a machine with what it measures: it says when it was itself too slow to judge.
function ownUnrestWords(late: Spread | null): string | null {
  if (late === null || late.p99 <= OWN_LATENESS_MS_MAX) return null;
  return `this tool sent late itself (p99 ${late.p99} ms, max ${late.max} ms): latencies include that`;
}
