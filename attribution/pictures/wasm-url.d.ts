/** Address of a file that the pages' build puts beside the scripts. */
declare module "*.wasm?url" {
  const url: string;
  export default url;
}
