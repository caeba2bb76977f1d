/** What the store asks of a logger. */
export interface StoreLog {
  warn(fields: { readonly [name: string]: unknown }, sentence: string): void;
}

export const SILENT: StoreLog = { warn: () => {} };
