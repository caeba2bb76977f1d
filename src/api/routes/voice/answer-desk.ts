import type { StreamCredential } from '../../../events/commands.ts';
import {
  STREAMS_PER_ANSWER,
  type AnswerDocument,
  type AnswerLanguage,
} from '../../../providers/answers/answer-plan.ts';
import { toldAnswerOf } from '../../../providers/answers/machine-detection.ts';
import type { ToldCall } from '../../../providers/answers/told-call.ts';
import { queryOf, type Webhook } from '../../../providers/answers/webhook.ts';
import type { CallView } from '../../../events/call-view.ts';
import type { ApiSettings } from '../../api-options.ts';
import type { CallStore } from '../../ports.ts';
import { isOver, knownCallOf } from './known-call.ts';
import type { ProviderStats } from './provider-gate.ts';

/** A call whose streams never came through is asked for so many times, and then given up. */
const ROUNDS_MAX = 3;
/** What the address itself may say of a call. */
const TOLD_BY_ADDRESS = ['lead_id', 'contact_id', 'conversation_id'];

export interface AnswerDeskParts {
  readonly calls: Pick<CallStore, 'list'>;
  readonly settings: Pick<ApiSettings, 'publicUrl' | 'mediaUrl' | 'mediaUrls'>;
  readonly stats: ProviderStats;
  /** Where our routes are. */
  readonly base: string;
}

/** A call a provider asks about, with the address it asked at. */
export interface Question {
  readonly credential: StreamCredential;
  /** The secret in the path: our next address has it, too. */
  readonly secret: string;
  readonly webhook: Webhook;
  readonly told: ToldCall;
}

/** Says what a provider is to do with a call: connect it, connect it again, or hang up. */
export class AnswerDesk {
  readonly #parts: AnswerDeskParts;

  constructor(parts: AnswerDeskParts) {
    this.#parts = parts;
  }

  /** A first question gets the streams; a later one, too, unless the call is over. */
  async answer(question: Question, language: AnswerLanguage): Promise<AnswerDocument> {
    const { calls, stats } = this.#parts;
    const round = roundOf(question.webhook);
    if (round === 0) return this.#connect(question, language, { round, known: undefined });
    const known = await knownCallOf(calls, question.credential, question.told);
    const isLost = known === undefined && question.told.id !== null && round < ROUNDS_MAX;
    if (isLost || (known !== undefined && !isOver(known))) {
      return this.#connect(question, language, { round, known });
    }
    if (known === undefined) stats.givenUp++;
    stats.hungUp++;
    return language.hangUp();
  }

  /** After a stream was lost: undefined where the call is over, or was never here. */
  async again(question: Question, language: AnswerLanguage): Promise<AnswerDocument | undefined> {
    const known = await knownCallOf(this.#parts.calls, question.credential, question.told);
    if (known === undefined || isOver(known)) return undefined;
    return this.#connect(question, language, { round: roundOf(question.webhook), known });
  }

  /** URLs of media nodes, credential in the path, best first. */
  streamUrls({ credential, secret }: Pick<Question, 'credential' | 'secret'>): readonly string[] {
    const { mediaUrl, mediaUrls } = this.#parts.settings;
    const placed = mediaUrls?.() ?? [];
    const bases = placed.length === 0 ? [mediaUrl()] : placed;
    const length = Math.max(STREAMS_PER_ANSWER, bases.length);
    return Array.from({ length }, (_, index) => bases[index % bases.length]!).map(
      (base) => `${base.replace(/\/$/, '')}/media/${credential.dialect}/${secret}`,
    );
  }

  answerUrl({ credential, secret }: Pick<Question, 'credential' | 'secret'>): string {
    return this.#urlOf('answer', credential.dialect, secret);
  }

  #connect(
    question: Question,
    language: AnswerLanguage,
    { round, known }: { readonly round: number; readonly known: CallView | undefined },
  ): AnswerDocument {
    const { credential, secret, told, webhook } = question;
    const { dialect, verify = {}, options = {} } = credential;
    this.#parts.stats.connected++;
    const byAddress = toldByAddress(webhook);
    const answered = toldAnswerOf(dialect, webhook);
    const next = new URLSearchParams({ ...byAddress, round: String(round + 1), ...callOf(told) });
    return language.connect({
      streamUrls: this.streamUrls(question),
      parameters: {
        ...parametersOf(dialect, told),
        ...byAddress,
        ...(answered === undefined ? {} : { answered_by: answered.result }),
        ...(known === undefined ? {} : { resumes: known.id }),
      },
      againUrl: `${this.answerUrl(question)}?${next.toString()}`,
      statusUrl: `${this.#urlOf('status', dialect, secret)}?${next.toString()}`,
      verify,
      options,
    });
  }

  #urlOf(what: 'answer' | 'status', dialect: string, secret: string): string {
    const { settings, base } = this.#parts;
    return `${settings.publicUrl.replace(/\/$/, '')}${base}/voice/${what}/${dialect}/${secret}`;
  }
}

/** How often it was asked before: our own address says so. */
function roundOf(webhook: Webhook): number {
  const round = Number(queryOf(webhook)['round'] ?? 0);
  return Number.isSafeInteger(round) && round > 0 ? round : 0;
}

function callOf({ id, from, to }: ToldCall): { readonly [name: string]: string } {
  return {
    ...(id === null ? {} : { call: id }),
    ...(from === null ? {} : { call_from: from }),
    ...(to === null ? {} : { call_to: to }),
  };
}

function parametersOf(dialect: string, told: ToldCall): { readonly [name: string]: string } {
  return {
    ...(told.from === null ? {} : { from: told.from }),
    ...(told.to === null ? {} : { to: told.to }),
    ...(told.direction === 'outbound' ? { direction: 'outbound' } : {}),
    // Its stream names no call by itself.
    ...(dialect === 'vonage' && told.id !== null ? { call_uuid: told.id } : {}),
  };
}

function toldByAddress(webhook: Webhook): { readonly [name: string]: string } {
  const said = queryOf(webhook);
  return Object.fromEntries(
    TOLD_BY_ADDRESS.flatMap((name) => {
      const value = said[name];
      return value === undefined || value.length > 128 ? [] : [[name, value]];
    }),
  );
}
