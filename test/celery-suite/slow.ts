/** Tests that wait for most of a minute and more; `npm test` leaves them to `npm run test:celery`. */
export const SLOW: readonly string[] = [];
