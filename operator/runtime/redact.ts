/**
 * The login in a URL, wherever a library put the URL into its message. Up to the last @: a password that was not escaped may contain
 * slashes and @ itself, and rather a path is lost than a password shown.
 */
const URL_LOGIN = /([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>]*@/gi;

/** `amqp://user:password@host` becomes `amqp://***@host`, everywhere in the text. */
export const withoutLogin = (text: string): string => text.replace(URL_LOGIN, "$1***@");
