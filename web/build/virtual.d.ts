/** Made by the build from the tables of docs/ (`words-plugin.ts`). */
declare module "virtual:dictionary" {
  const meanings: Readonly<Record<string, string>>;
  export default meanings;
}
declare module "virtual:errors" {
  const errors: Readonly<Record<string, { readonly meaning: string; readonly remedy?: string }>>;
  export default errors;
}
declare module "*.css";
declare module "*.svg" {
  const url: string;
  export default url;
}
