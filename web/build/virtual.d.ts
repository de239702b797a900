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
    readonly isDevelopment: boolean;
    /** In snarkjs' form. */
    readonly key: unknown;
  }[];
  export default keys;
}
declare module "*.css";
declare module "*.svg" {
  const url: string;
  export default url;
}
