import { expect, it } from 'vitest';
import { brokenLimits, PUT_GET_SCENARIOS, runPutGet } from '../../../native-bench/jitter/put-get.ts';
import { readSpeech } from '../../../native-bench/load/speech.ts';

const speech = readSpeech().samples;

it.each(PUT_GET_SCENARIOS)("keeps the limits of PJSIP's scenario: $name", (scenario) => {
  const outcome = runPutGet(scenario, speech);
  expect({ ...outcome, broken: brokenLimits(scenario, outcome) }).toMatchObject({ broken: [] });
});

it('would notice a limit that is passed', () => {
  const [, pause] = PUT_GET_SCENARIOS;
  const strict = { ...pause!, limits: { ...pause!.limits, empty: 19 } };
  expect(brokenLimits(strict, runPutGet(strict, speech))).toEqual(['empty']);
});
