/** Types of load-source.js, which is plain JavaScript, for tests. */
declare module "@openledger/foundation/load-source" {
  export function findBundle(): Readonly<Record<string, string>> | null;
}
