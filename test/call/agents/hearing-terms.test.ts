import { describe, expect, it } from 'vitest';
import type { VoiceTerms } from '../../../src/events/agents.ts';
import { VOICE_DEFAULTS, type VoiceDetectors } from '../../../src/media/voice-detector.ts';
import { loudDetectors } from '../../fakes/loud-detector.ts';
import { openAgentStory } from './scripted-backends.ts';

const CALLS_IN = { agentId: 'front-desk' };

/** The edges that were told of a caller who says the same to whichever agent answers. */
function edgesOf(voice_detection: VoiceTerms | null, speaks: readonly [number, number][]) {
  const { story } = openAgentStory({ voice_detection });
  const caller = story.arrives(CALLS_IN);
  for (const [forMs, level] of speaks) caller.speaks(forMs, level);
  const of = (type: string) => story.events.filter((event) => event.type === type);
  return { began: of('voice_detected'), ended: of('voice_ended') };
}

describe('an agent that says how its caller is heard', () => {
  it('has a voice told as soon as it wants, others as the node does', () => {
    const speaks: [number, number][] = [
      [100, 8000],
      [400, 0],
    ];
    expect(edgesOf(null, speaks).began.map(({ data }) => data['at_ms'])).toEqual([40]);
    expect(edgesOf({ start_ms: 80 }, speaks).began.map(({ data }) => data['at_ms'])).toEqual([80]);
    expect(edgesOf({ start_ms: 120 }, speaks).began).toEqual([]);
  });

  it('has a pause told as an end where it wants short ones', () => {
    const speaks: [number, number][] = [
      [200, 8000],
      [160, 0],
      [200, 8000],
      [400, 0],
    ];
    expect(edgesOf(null, speaks).ended).toHaveLength(1);
    expect(edgesOf({ stop_ms: 100 }, speaks).ended).toHaveLength(2);
  });

  it('has what is softer than it wants taken as quiet', () => {
    const speaks: [number, number][] = [[200, 1500]];
    expect(edgesOf({}, speaks).began).toHaveLength(1);
    expect(edgesOf({ level_min_dbfs: -20 }, speaks).began).toEqual([]);
  });

  it('has the detector opened as strict as it wants, for the caller alone', () => {
    const opened: number[] = [];
    const detectors: VoiceDetectors = {
      open: (sampleRateHz, { aggressiveness }) => {
        opened.push(aggressiveness);
        return loudDetectors.open(sampleRateHz);
      },
    };
    const { story } = openAgentStory({ voice_detection: { aggressiveness: 0 } }, { detectors });
    story.arrives(CALLS_IN);
    const callId = story.only('call_started').resource.id;
    story.arrives({ ...CALLS_IN, dialect: 'native', role: 'human', callId });
    expect(opened).toEqual([0, VOICE_DEFAULTS.aggressiveness]);
  });
});

describe('an agent whose calls may be silent only so long', () => {
  it('has them end, told as a silence', () => {
    const { story } = openAgentStory({ silence_timeout_ms: 3_000, first_audio_timeout_ms: 60_000 });
    story.arrives(CALLS_IN).silent(20);
    story.passes(2_900);
    expect(story.types).not.toContain('silence_timeout');
    story.passes(200);
    expect(story.only('silence_timeout').data['silence_ms']).toBe(3_120);
    expect(story.only('call_ended').data['reason']).toBe('silence_timeout');
  });

  it.each([
    ['the node, where that is sooner', 3_000, 2_000],
    ['the node, where it says nothing', 0, 2_000],
    ['the agent, where that is sooner', 2_000, 3_000],
  ])('is overruled by none but the sooner: by %s', (_, silence_timeout_ms, silenceMs) => {
    const first_audio_timeout_ms = 60_000;
    const terms = { silence_timeout_ms, first_audio_timeout_ms };
    const { story } = openAgentStory(terms, { limits: { silenceMs } });
    story.arrives(CALLS_IN);
    story.passes(1_980);
    expect(story.types).not.toContain('call_ended');
    story.passes(20);
    expect(story.only('call_ended').data['reason']).toBe('silence_timeout');
  });
});
