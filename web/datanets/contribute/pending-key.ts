/** Place of contributions under way in the browser's storage: absent where there are none. */
export const pendingKey = (rollupAddress: string): string => `openledger.contributions.${rollupAddress}`;
