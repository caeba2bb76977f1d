import type { AtMs } from '../../base/clock.ts';
import type { VoiceEdge } from '../../media/voice/voice-edges.ts';
import type { CallDesk } from '../call-desk.ts';
import type { Member } from '../parties/roster.ts';

/** Counts what a party said, and tells where its voice began and ended. */
export function tellVoice(desk: CallDesk, member: Member, edge: VoiceEdge, nowMs: AtMs): void {
  const who = { leg_id: member.party.id, role: member.party.role };
  // An agent's voice is told of only where its terms ask for it (contract.md §5.2).
  const isTold = member.party.role !== 'agent' || member.tellsVoice === true;
  if (edge.type === 'voice_detected') {
    member.voice = edge;
    const { atMs: at_ms, onsetMs: onset_ms, levelDbfs: level_dbfs } = edge;
    if (isTold) desk.emit('voice_detected', { ...who, at_ms, onset_ms, level_dbfs }, nowMs);
    return;
  }
  const spoken = { onset_ms: member.voice?.onsetMs ?? null, level_dbfs: member.voice?.levelDbfs ?? null };
  member.voice = undefined;
  member.talkMs += edge.durationMs;
  const ended = { ...who, at_ms: edge.atMs, ...spoken, duration_ms: edge.durationMs };
  if (isTold) desk.emit('voice_ended', ended, nowMs);
}
