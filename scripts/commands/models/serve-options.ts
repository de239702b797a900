/** Each is a variable SERVING_… of docs/reference/settings.md, which it overrules. */
export interface ServeAdaptersOptions {
  base?: string;
  adapters?: string;
  host?: string;
  port?: number;
  threads?: string;
  batch?: string;
  kernels?: string;
  registered?: string;
  spans?: string;
  claim?: boolean;
}
