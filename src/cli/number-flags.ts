import { InvalidArgumentError } from 'commander';

/** A parser of a flag that is a number between two others. */
export function numberIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = text.trim() === '' ? Number.NaN : Number(text);
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It is not a number from ${min} to ${max}.`);
  };
}

/** As `numberIn`, of whole numbers. */
export function wholeIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It is not a whole number from ${min} to ${max}.`);
  };
}
