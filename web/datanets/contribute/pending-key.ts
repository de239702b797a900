/** Place of contributions under way in the browser's storage: absent if there are none. */
export const pendingKey = (rollupAddress: string): string => `openledger.contributions.${rollupAddress}`;
