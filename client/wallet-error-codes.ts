/**
 * Fields in which wallets and libraries put the error that they wrap: MetaMask Mobile in `data.originalError`, viem in
 * `cause`, ethers in `info.error`.
 */
const WRAPPERS = ["cause", "data", "originalError", "error", "info"] as const;
const MAX_DEPTH = 12;

/**
 * The EIP-1193 and JSON-RPC codes of a wallet's error, at any depth.
 * @internal
 */
export function walletErrorCodes(error: unknown): ReadonlySet<number> {
  const codes = new Set<number>();
  const seen = new Set<object>();
  const look = (at: unknown, depth: number): void => {
    if (typeof at !== "object" || at === null || seen.has(at) || depth > MAX_DEPTH) return;
    seen.add(at);
    const { code } = at as { code?: unknown };
    if (typeof code === "number") codes.add(code);
    // Some bridges to phones write numbers as text.
    else if (typeof code === "string" && /^-?\d{4,5}$/.test(code)) codes.add(Number(code));
    for (const name of WRAPPERS) look((at as Record<string, unknown>)[name], depth + 1);
  };
  look(error, 0);
  return codes;
}

/** Codes of a refusal by the owner: EIP-1193, and CAIP-25 of wallets behind WalletConnect. */
const USER_REJECTED = [4001, 5000] as const;

/**
 * Returns true if the wallet's owner declined.
 * @internal
 */
export function isUserRejection(error: unknown): boolean {
  const codes = walletErrorCodes(error);
  return USER_REJECTED.some((code) => codes.has(code));
}
