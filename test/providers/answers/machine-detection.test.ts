import { expect, it } from 'vitest';
import { toldAnswerOf } from '../../../src/providers/answers/machine-detection.ts';
import type { Webhook } from '../../../src/providers/answers/webhook.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_TYPE = { 'content-type': 'application/json' };

function webhook(body: string, headers: Webhook['headers']): Webhook {
  return { method: 'POST', headers, urls: [], query: '', body: Buffer.from(body) };
}

const asForm = (fields: Record<string, string>): Webhook =>
  webhook(new URLSearchParams(fields).toString(), FORM);
const asJson = (value: object): Webhook => webhook(JSON.stringify(value), JSON_TYPE);
const callControl = (event_type: string, result: string): Webhook =>
  asJson({ data: { event_type, payload: { call_control_id: 'v3:a', result } } });

it.each([
  ['twilio', asForm({ AnsweredBy: 'human' }), 'human'],
  ['twilio', asForm({ AnsweredBy: 'machine_start' }), 'machine'],
  ['twilio', asForm({ AnsweredBy: 'machine_end_beep' }), 'machine'],
  ['twilio', asForm({ AnsweredBy: 'fax' }), 'machine'],
  ['twilio', asForm({ AnsweredBy: 'unknown' }), 'unknown'],
  ['signalwire', asForm({ AnsweredBy: 'machine_end_other' }), 'machine'],
  ['telnyx', asForm({ AnsweredBy: 'human' }), 'human'],
  ['telnyx', callControl('call.machine.detection.ended', 'machine'), 'machine'],
  ['telnyx', callControl('call.machine.detection.ended', 'not_sure'), 'unknown'],
  ['telnyx', callControl('call.machine.premium.detection.ended', 'human_residence'), 'human'],
  ['telnyx', callControl('call.machine.premium.detection.ended', 'fax_detected'), 'machine'],
  ['plivo', asForm({ Event: 'MachineDetection', Machine: 'true' }), 'machine'],
  ['vobiz', asForm({ Event: 'MachineDetection', Machine: 'False' }), 'human'],
  ['vonage', asJson({ status: 'machine', sub_state: 'beep_start' }), 'machine'],
  ['vonage', asJson({ status: 'human' }), 'human'],
  [
    'bandwidth',
    asJson({ eventType: 'machineDetectionComplete', machineDetectionResult: { value: 'answering-machine' } }),
    'machine',
  ],
  ['bandwidth', asJson({ eventType: 'machineDetectionComplete', machineDetectionResult: 7 }), 'unknown'],
  ['jambonz', asJson({ type: 'amd_human_detected' }), 'human'],
  ['jambonz', asJson({ type: 'amd_decision_timeout' }), 'unknown'],
] as const)('%s tells who answered (%#)', (dialect, told, result) => {
  expect(toldAnswerOf(dialect, told)).toEqual({ result, decidedMs: null });
});

it('is told how long it took, where that is a time', () => {
  const told = (MachineDetectionDuration: string): unknown =>
    toldAnswerOf('twilio', asForm({ AnsweredBy: 'human', MachineDetectionDuration }))?.decidedMs;
  expect([told('4100'), told('-1'), told('soon')]).toEqual([4100, null, null]);
});

it.each([
  ['twilio', asForm({ CallStatus: 'completed' })],
  ['twilio', asForm({ AnsweredBy: '' })],
  ['telnyx', callControl('call.machine.greeting.ended', 'beep_detected')],
  ['plivo', asForm({ Event: 'Hangup', Machine: 'true' })],
  ['vonage', asJson({ status: 'answered' })],
  ['bandwidth', asJson({ eventType: 'answer' })],
  ['jambonz', asJson({ type: 'amd_tone_detected' })],
  ['asterisk', asForm({ AnsweredBy: 'human' })],
  ['constructor', asForm({ AnsweredBy: 'human' })],
] as const)('%s tells nothing of it otherwise (%#)', (dialect, told) => {
  expect(toldAnswerOf(dialect, told)).toBeUndefined();
});
