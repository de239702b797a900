/** Made by the build from the tables of docs/ (`words-plugin.ts`). */
declare module "virtual:dictionary" {
  const meanings: Readonly<Record<string, string>>;
  export default meanings;
}
declare module "virtual:errors" {
  const errors: Readonly<Record<string, { readonly meaning: string; readonly remedy?: string }>>;
  export default errors;
}
/** The verifying keys that the rollup's contract was deployed with (`verifying-keys.ts`). */
declare module "virtual:verifying-keys" {
  const keys: readonly {
    readonly sort: number;
    readonly size0: number;
    readonly size1: number;
    /** Decimal; absent if there is no leaf table. */
    readonly tableSizes?: string;
    readonly isDevelopment: boolean;
    /** Key in snarkjs' form. */
    readonly key: unknown;
  }[];
  export default keys;
}
/** Names of the circuits of exits whose proving keys the build brings along (`exit-files.ts`). */
declare module "virtual:exit-circuits" {
  const names: readonly string[];
  export default names;
}
/** The page to keep; null within it. */
declare module "virtual:single-file-page" {
  const singleFile: { readonly sha256: string; readonly byteCount: number } | null;
  export default singleFile;
}
declare module "*.css";
declare module "*.svg" {
  const url: string;
  export default url;
}
