/*
 * A WebAssembly module of one function, written down by hand: no compiler is needed to build or to install
 * it. The numbers are those of the WebAssembly core specification 2.0, §5 (binary format).
 *
 *   filter(bank, source, phase, samples): for each of `samples` outputs, the products of one row of weights
 *   with as many samples from `source` on, added up, rounded and saturated; written to a fixed address.
 *
 * A bank is a head of eight 32-bit numbers (`BANK_HEAD`) with its rows of weights behind.
 */

/** Bytes, or pieces of them in order. */
type Code = number | readonly Code[];

const I32 = 0x7f;
const I64 = 0x7e;
const V128 = 0x7b;
const EMPTY = 0x40;

// Parameters and variables of the function, by their numbers.
const [BANK, SOURCE, PHASE, LEFT] = [0, 1, 2, 3];
const [ROW, TAP, TARGET, ROW_BYTES, ROWS_END] = [4, 5, 6, 7, 8];
const [EVEN, ODD, SUM, BITS] = [9, 10, 11, 12];
const VARIABLES: readonly (readonly [count: number, type: number])[] = [
  [5, I32],
  [2, V128],
  [2, I64],
];

/** Bytes of a bank before its rows. */
export const BANK_HEAD_BYTES = 32;
/** What stands where in a bank's head, in 32-bit numbers. */
export const BANK_HEAD = { rowBytes: 0, rowsBytes: 1, rowStepBytes: 2, sourceStepBytes: 3, weightBits: 4 };

const get = (variable: number): Code => [0x20, variable];
const set = (variable: number): Code => [0x21, variable];
const tee = (variable: number): Code => [0x22, variable];
const i32 = (value: number): Code => [0x41, signed(value)];
const i64 = (value: number): Code => [0x42, signed(value)];
const headOf = (place: number): Code => [get(BANK), 0x28, 2, 4 * place];
const loadVector = (offsetBytes: number): Code => [0xfd, 0x00, 0, offsetBytes];
const vector = (operation: number): Code => [0xfd, unsigned(operation)];
const loop = (...body: Code[]): Code => [0x03, EMPTY, body, 0x0b];
const when = (...body: Code[]): Code => [0x04, EMPTY, body, 0x0b];

const ADD_I32 = 0x6a;
const SUBTRACT_I32 = 0x6b;
const MULTIPLY_I32 = 0x6c;
const IS_LESS = 0x49;
const IS_NOT_LESS = 0x4f;
const AGAIN_IF = [0x0d, 0];
const STORE_16 = [0x3b, 1, 0];
const ADD_I64 = 0x7c;
const SHIFT_LEFT_I64 = 0x86;
const SHIFT_RIGHT_I64 = 0x87;
const WRAP = 0xa7;
const EXTEND = 0xad;
const ZERO_VECTOR = [vector(0x0c), Array<number>(16).fill(0)];
const SPLAT_I32 = vector(0x11);
const FIRST_I16 = [vector(0x18), 0];
const FIRST_I64 = [vector(0x1d), 0];
const SECOND_I64 = [vector(0x1d), 1];
const NARROW_TO_I16 = vector(0x85);
const ADD_I32X4 = vector(0xae);
const DOT_I16X8 = vector(0xba);
const LOW_TO_I64 = vector(0xc7);
const HIGH_TO_I64 = vector(0xc8);
const ADD_I64X2 = vector(0xce);

/** The bytes of the module: it brings `pages` of 64 KiB and writes its output to `targetAddress`. */
export function simdModule(pages: number, targetAddress: number): Uint8Array<ArrayBuffer> {
  const name = (text: string): Code => [unsigned(text.length), [...Buffer.from(text)]];
  const module = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, [1, 0x60, 4, I32, I32, I32, I32, 0]),
    section(3, [1, 0]),
    section(5, [1, 1, unsigned(pages), unsigned(pages)]),
    section(7, [2, name('memory'), 2, 0, name('filter'), 0, 0]),
    section(10, [1, sized([variables(), filter(targetAddress), 0x0b])]),
  ];
  return Uint8Array.from(bytesOf(module));
}

function filter(targetAddress: number): Code {
  return [
    [headOf(BANK_HEAD.rowBytes), set(ROW_BYTES)],
    [headOf(BANK_HEAD.weightBits), EXTEND, set(BITS)],
    [get(BANK), i32(BANK_HEAD_BYTES), ADD_I32, tee(ROW)],
    [headOf(BANK_HEAD.rowsBytes), ADD_I32, set(ROWS_END)],
    [get(ROW), get(PHASE), get(ROW_BYTES), MULTIPLY_I32, ADD_I32, set(ROW)],
    [i32(targetAddress), set(TARGET)],
    // LEFT becomes the address behind the last output.
    [get(LEFT), get(LEFT), ADD_I32, get(TARGET), ADD_I32, set(LEFT)],
    loop(
      [ZERO_VECTOR, set(EVEN), ZERO_VECTOR, set(ODD), i32(0), set(TAP)],
      loop(
        multiplyAdd(EVEN, 0),
        multiplyAdd(ODD, 16),
        [get(TAP), i32(32), ADD_I32, tee(TAP)],
        [get(ROW_BYTES), IS_LESS, AGAIN_IF],
      ),
      total(),
      saturate(),
      goOn(),
      [get(TARGET), get(LEFT), IS_LESS, AGAIN_IF],
    ),
  ];
}

function multiplyAdd(accumulator: number, offsetBytes: number): Code {
  return [
    [get(SOURCE), get(TAP), ADD_I32, loadVector(offsetBytes)],
    [get(ROW), get(TAP), ADD_I32, loadVector(offsetBytes)],
    [DOT_I16X8, get(accumulator), ADD_I32X4, set(accumulator)],
  ];
}

/** Eight lanes of 32 bits become one number of 64: their sum may be larger than any of them. */
function total(): Code {
  const halves = (accumulator: number): Code => [
    [get(accumulator), LOW_TO_I64],
    [get(accumulator), HIGH_TO_I64, ADD_I64X2],
  ];
  return [
    [halves(EVEN), halves(ODD), ADD_I64X2, tee(EVEN), FIRST_I64],
    [get(EVEN), SECOND_I64, ADD_I64, set(SUM)],
  ];
}

/** Half a step is added before the bits of the weights are shifted away. */
function saturate(): Code {
  return [
    [get(TARGET), get(SUM)],
    [i64(1), get(BITS), i64(-1), ADD_I64, SHIFT_LEFT_I64, ADD_I64],
    [get(BITS), SHIFT_RIGHT_I64, WRAP, SPLAT_I32, tee(EVEN), get(EVEN)],
    [NARROW_TO_I16, FIRST_I16, STORE_16],
  ];
}

function goOn(): Code {
  return [
    [get(TARGET), i32(2), ADD_I32, set(TARGET)],
    [get(SOURCE), headOf(BANK_HEAD.sourceStepBytes), ADD_I32, set(SOURCE)],
    [get(ROW), headOf(BANK_HEAD.rowStepBytes), ADD_I32, tee(ROW)],
    [get(ROWS_END), IS_NOT_LESS],
    when(
      [get(ROW), headOf(BANK_HEAD.rowsBytes), SUBTRACT_I32, set(ROW)],
      [get(SOURCE), i32(2), ADD_I32, set(SOURCE)],
    ),
  ];
}

function variables(): Code {
  return [VARIABLES.length, VARIABLES];
}

function section(id: number, content: Code): Code {
  return [id, sized(content)];
}

function sized(content: Code): Code {
  const bytes = bytesOf(content);
  return [unsigned(bytes.length), bytes];
}

function bytesOf(code: Code): number[] {
  return typeof code === 'number' ? [code] : code.flatMap(bytesOf);
}

/** LEB128, §5.2.2. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, signed(value >> 7)];
}
