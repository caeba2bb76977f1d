/** The sample that stands for a mark in the sender's own buffers (mod_audio_fork, AUDIO_MARKER). */
const MARKER = -1;
const MARKS_MAX = 30;

/**
 * What jambonz does with what we send, told from mod_audio_fork (lws_glue.cpp, 30f2189) at the channel's own
 * rate: a mark goes before the *next* binary message, nothing moves before 1280 samples are there, and then
 * 640 at a time.
 */
export class JambonzPlayer {
  readonly events: { readonly name: string; readonly event: string }[] = [];
  readonly played: number[] = [];
  #waiting: string[] = [];
  #inUse: string[] = [];
  #prebuffer: number[] = [];
  #playout: number[] = [];
  #samplesMin = 1_280;
  #oddByte: number | undefined;

  binary(message: Uint8Array): void {
    const bytes = Buffer.from(this.#oddByte === undefined ? message : [this.#oddByte, ...message]);
    this.#oddByte = bytes.length % 2 === 0 ? undefined : bytes.at(-1);
    this.#prebuffer.push(...this.#waiting.map(() => MARKER));
    this.#inUse.push(...this.#waiting.splice(0));
    for (let at = 0; at + 1 < bytes.length; at += 2) this.#prebuffer.push(bytes.readInt16LE(at));
    if (this.#prebuffer.length < this.#samplesMin) return;
    this.#samplesMin = 640;
    this.#playout.push(...this.#prebuffer.splice(0));
  }

  text(message: Uint8Array): void {
    const { type, data } = JSON.parse(Buffer.from(message).toString()) as {
      type: string;
      data?: { name: string };
    };
    if (type === 'mark' && this.#waiting.length + this.#inUse.length < MARKS_MAX)
      this.#waiting.push(data!.name);
    if (type !== 'killAudio') return;
    this.#playout = [];
    for (const name of [...this.#inUse.splice(0), ...this.#waiting.splice(0)]) {
      this.events.push({ name, event: 'cleared' });
    }
  }

  /** Plays whatever has moved on. */
  play(): void {
    for (const sample of this.#playout.splice(0)) {
      const name = sample === MARKER ? this.#inUse.shift() : undefined;
      if (name === undefined) this.played.push(sample);
      else this.events.push({ name, event: 'playout' });
    }
  }
}
