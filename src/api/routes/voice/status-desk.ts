import type { CallView } from '../../../events/call-view.ts';
import type { AnswerDocument } from '../../../providers/answers/answer-plan.ts';
import { languageOf } from '../../../providers/answers/languages.ts';
import { toldAnswerOf, type ToldAnswer } from '../../../providers/answers/machine-detection.ts';
import { statusNewsOf } from '../../../providers/answers/status-news.ts';
import type { ApiLog, ProviderDesk } from '../../api-options.ts';
import type { CallStore, Nodes } from '../../ports.ts';
import type { AnswerDesk, Question } from './answer-desk.ts';
import { isOver, knownCallOf } from './known-call.ts';
import type { ProviderStats } from './provider-gate.ts';

export interface StatusDeskParts {
  readonly calls: Pick<CallStore, 'list'>;
  readonly nodes: Pick<Nodes, 'command'>;
  readonly providers?: ProviderDesk;
  readonly answers: AnswerDesk;
  readonly stats: ProviderStats;
  readonly log: ApiLog;
}

/** Does what follows from a provider's news of a call. The same news twice does nothing more. */
export class StatusDesk {
  readonly #parts: StatusDeskParts;

  constructor(parts: StatusDeskParts) {
    this.#parts = parts;
  }

  /** The provider's next document, where it takes one in the answer. */
  async take(question: Question): Promise<AnswerDocument | undefined> {
    const { stats } = this.#parts;
    const answer = toldAnswerOf(question.credential.dialect, question.webhook);
    if (answer !== undefined) await this.#tellAnswer(question, answer);
    switch (statusNewsOf(question.credential.dialect, question.webhook)) {
      case 'ended':
        stats.ended++;
        await this.#hangUp(question);
        return undefined;
      case 'stream_lost':
        stats.streamsLost++;
        return this.#again(question);
      case 'progress':
        stats.progress++;
        return undefined;
      default:
        if (answer === undefined) stats.unknownStatus++;
        return undefined;
    }
  }

  /** The provider's call is over: ours, too, should its stream not have said so. */
  async #hangUp(question: Question): Promise<void> {
    const { nodes, stats, log } = this.#parts;
    const call = await this.#liveCallOf(question);
    if (call === undefined) return;
    const { id: call_id, workspace_id } = call;
    const result = await nodes.command(call, {
      name: 'call_command',
      call_id,
      workspace_id,
      command: { name: 'end_by_provider' },
    });
    // It may have ended by itself while we asked.
    if (result.ok || result.fault === 'call_not_found' || result.fault === 'not_found') return;
    stats.hangUpFailed++;
    log.warn({ call_id, reason: result.detail }, 'a call could not be hung up after its provider ended it');
  }

  async #tellAnswer(question: Question, { result, decidedMs: decided_ms }: ToldAnswer): Promise<void> {
    const { nodes, stats, log } = this.#parts;
    stats.answersTold++;
    const call = await this.#liveCallOf(question);
    if (call === undefined) return;
    const { id: call_id, workspace_id } = call;
    const command = { name: 'tell_answer', result, decided_ms } as const;
    const told = await nodes.command(call, { name: 'call_command', call_id, workspace_id, command });
    if (!told.ok) log.warn({ call_id, reason: told.detail }, 'a call was not told who answered it');
  }

  async #again(question: Question): Promise<AnswerDocument | undefined> {
    const { dialect } = question.credential;
    const { answers } = this.#parts;
    const language = languageOf(dialect);
    // The one whose events are answered with what comes next; the others' documents go on by themselves.
    if (dialect === 'vonage' && language !== undefined) return answers.again(question, language);
    if (dialect === 'telnyx') await this.#restart(question);
    return undefined;
  }

  /** Telnyx' stream is a fork of its call, which goes on without one: another is started over REST. */
  async #restart(question: Question): Promise<void> {
    const { providers, answers, stats } = this.#parts;
    const { credential, told } = question;
    const call = await this.#liveCallOf(question);
    if (call === undefined || told.id === null || providers === undefined) return;
    const [first = '', second = first] = answers.streamUrls(question);
    const refusal = await providers.carryOut({
      workspace_id: credential.workspaceId,
      credential_id: credential.id,
      provider_call_id: told.id,
      order: { action: 'redirect', to: { streamUrl: second, answerUrl: answers.answerUrl(question) } },
    });
    if (refusal !== undefined) stats.restartFailed++;
  }

  async #liveCallOf({ credential, told }: Question): Promise<CallView | undefined> {
    const call = await knownCallOf(this.#parts.calls, credential, told);
    return call === undefined || isOver(call) ? undefined : call;
  }
}
