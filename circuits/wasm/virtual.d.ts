/** Made by the build of the pages: `web/build/packed-constants.ts`. */
declare module "virtual:poseidon-constants/data" {
  export { default } from "virtual:poseidon-constants";
}
declare module "virtual:poseidon-constants/replay" {
  export { default } from "virtual:poseidon-constants";
}
declare module "virtual:poseidon-constants" {
  const packed: Readonly<
    Record<
      number,
      { readonly roundConstants: number; readonly sparseEntries: number; readonly base64: string }
    >
  >;
  export default packed;
}
