/** Ethereum's trusted setup, packed by the build of the pages (`web/build/packed-powers.ts`). */
declare module "virtual:setup-powers" {
  const base64: string;
  export default base64;
}
