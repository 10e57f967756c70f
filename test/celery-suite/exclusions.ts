/** Tests of Celery's suite that are not run, and why. docs/celery-suite.md lists the same. */
export const EXCLUDED: Readonly<Record<string, string>> = {};
