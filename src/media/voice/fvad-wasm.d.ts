/** The parts of the package that we use; it brings no types of its own. */
declare module '@echogarden/fvad-wasm' {
  export interface FvadModule {
    /** The WASM memory; replaced by a new view whenever the memory grows. */
    readonly HEAP16: Int16Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
    /** Address of a fresh detector, 0 when memory is out. */
    _fvad_new(): number;
    _fvad_free(detector: number): void;
    /** 0 when the mode (0–3) was taken, else −1. */
    _fvad_set_mode(detector: number, mode: number): number;
    /** 0 when the rate (8, 16, 32, 48 kHz) was taken, else −1. */
    _fvad_set_sample_rate(detector: number, sampleRateHz: number): number;
    /** 1 voice, 0 none, −1 for a length other than 10, 20 or 30 ms. */
    _fvad_process(detector: number, samples: number, length: number): number;
  }
  function open(): Promise<FvadModule>;
  export { open as default };
}
