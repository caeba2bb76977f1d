import type { StreamProof } from '../../dialect/proof.ts';

/** A call is asked for at most so often by one document: the stream, and once more elsewhere. */
export const STREAMS_PER_ANSWER = 2;

/** What the provider is to do with a call: connect it to the streams in turn, then ask again. */
export interface AnswerPlan {
  /** `wss:` URLs of the media port, credential in the path, most wanted first; another node each. */
  readonly streamUrls: readonly string[];
  /** What travels with the stream: the call's numbers, and which of its connections it is. */
  readonly parameters: { readonly [name: string]: string };
  /** Where the provider asks once the streams are over. */
  readonly againUrl: string;
  /** Where the provider tells what became of call and stream. */
  readonly statusUrl: string;
  /** How the provider proves itself at the upgrade: what it must be told to show. */
  readonly verify: StreamProof;
  readonly options: { readonly [name: string]: string };
}

/** An HTTP body in the provider's own language. */
export interface AnswerDocument {
  readonly contentType: string;
  readonly text: string;
}

/** A telephone the call is sent to. */
export interface DialPlan {
  /** A phone number (E.164) or a SIP URI. */
  readonly to: string;
  /** What it shows, where that is not the provider's to say. */
  readonly from: string | null;
}

/** One provider's language. */
export interface AnswerLanguage {
  connect(plan: AnswerPlan): AnswerDocument;
  /** The call goes to a telephone; absent where its REST API takes that by itself. */
  dial?(plan: DialPlan): AnswerDocument;
  /** The call is over. */
  hangUp(): AnswerDocument;
}

export function xmlDocument(text: string): AnswerDocument {
  return { contentType: 'text/xml; charset=utf-8', text };
}

export function jsonDocument(value: unknown): AnswerDocument {
  return { contentType: 'application/json; charset=utf-8', text: JSON.stringify(value) };
}
