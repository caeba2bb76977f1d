import type { FakeProvider } from '../providers/control/provider-house.ts';
import { figureOf, untilFound } from './cluster-scene.ts';
import { Guest, type Ticket } from './guest.ts';
import type { HookReceiver } from './hooks.ts';
import { until, type House } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { numberedAudio } from './numbered-speech.ts';
import { TwilioCaller } from './twilio-caller.ts';

/** A minute of frames, none of which is like another. */
const SPEECH = numberedAudio(3_000);

/** The same path at the door of one node, wherever it would lead otherwise. */
function atNode(house: House, node: number, url: string): string {
  const there = new URL(url);
  there.port = String(Number(new URL(house.ready.media_url).port) + 1 + node);
  return there.href;
}

/** Runs that, and answers which call it began. */
async function callOf<T>(hooks: HookReceiver, begin: () => Promise<T>): Promise<readonly [T, string]> {
  const known = new Set(hooks.callIds);
  const begun = await begin();
  const isNew = (callId: string): boolean => !known.has(callId);
  await until('the call to be told', () => hooks.callIds.some(isNew));
  return [begun, hooks.callIds.find(isNew)!];
}

/** One telephone call of Twilio, which streams it wherever it was last told to. */
export class TwilioCall {
  readonly callId: string;
  readonly streams: TwilioCaller[] = [];
  readonly #house: House;

  private constructor(house: House, callId: string, first: TwilioCaller) {
    this.#house = house;
    this.callId = callId;
    this.streams.push(first);
  }

  static async place(
    house: House,
    hooks: HookReceiver,
    { url, node }: { readonly url: string; readonly node: number },
  ): Promise<TwilioCall> {
    const [first, callId] = await callOf(hooks, () => TwilioCaller.dial(atNode(house, node, url)));
    void first.speak(SPEECH);
    await until('its echo', () => first.heard.length > 0);
    return new TwilioCall(house, callId, first);
  }

  get stream(): TwilioCaller {
    return this.streams.at(-1)!;
  }

  get callSid(): string {
    return this.stream.callSid;
  }

  /** Streams there as well: the former stream is closed by the house. */
  async streamAlsoAt(node: number): Promise<void> {
    await this.#stream(atNode(this.#house, node, this.stream.url));
  }

  /** As Twilio does with a new document: the stream ends, and the one of the document begins. */
  async streamInstead(url: string): Promise<void> {
    this.stream.hangUp();
    await this.#stream(url);
  }

  async #stream(url: string): Promise<void> {
    const next = await TwilioCaller.dial(url, {}, this.callSid);
    this.streams.push(next);
    void next.speak(SPEECH);
  }
}

/** Calls of node `owner` whose sockets are at node `socket`, and nobody of them elsewhere. */
export async function openCrossing(
  house: House,
  hooks: HookReceiver,
  {
    twilioUrl,
    nativeUrl: url,
    owner,
    socket,
  }: {
    readonly twilioUrl: string;
    readonly nativeUrl: string;
    readonly owner: number;
    readonly socket: number;
  },
): Promise<{ readonly native: NativeCaller; readonly twilio: TwilioCall }> {
  const [native, callId] = await callOf(hooks, () => NativeCaller.dial(atNode(house, owner, url)));
  const twilio = await TwilioCall.place(house, hooks, { url: twilioUrl, node: owner });
  // While somebody else of a call is on a line of its node, the call stays there.
  const guests = await Promise.all([callId, twilio.callId].map((id) => listen(house, id)));
  await native.leaveSilentLine(atNode(house, socket, `${house.ready.media_url}/media/native`));
  await twilio.streamAlsoAt(socket);
  await until('the relays', () => native.resumedTimes() === 1 && twilio.stream.heard.length > 25);
  const relays = (): Promise<number> => figureOf(house, 'relayed_legs', 'socket="here"');
  await untilFound('the relays to be counted', relays, (count) => count === 2);
  for (const guest of guests) guest.leave();
  return { native, twilio };
}

async function listen(house: House, callId: string): Promise<Guest> {
  return Guest.join(await house.api<Ticket>('POST', `/calls/${callId}/legs`, { role: 'supervisor' }));
}

/** A provider that streams calls elsewhere when it is told to; how often it was, by call. */
export function obeyRedirects(provider: FakeProvider, calls: readonly TwilioCall[]): { close(): void } {
  let done = 0;
  const timer = setInterval(() => {
    for (const { path, body } of provider.heard.slice(done)) {
      done++;
      const call = calls.find(({ callSid }) => path.endsWith(`/Calls/${callSid}.json`));
      const [, url] = /<Stream url="([^"]+)"\/>/.exec(new URLSearchParams(body).get('Twiml') ?? '') ?? [];
      if (call !== undefined && url !== undefined) void call.streamInstead(url);
    }
  }, 10);
  return { close: () => clearInterval(timer) };
}
