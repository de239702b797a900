/** Bearer token of a request's header `authorization` (RFC 6750). Schemes are named in any case (RFC 9110, section 11.1). */

/** The token; null where the header is absent, of another scheme, or longer than 512 characters. */
export const bearerToken = (header: string | undefined): string | null =>
  /^Bearer +(\S{1,512})$/i.exec(header ?? "")?.[1] ?? null;
