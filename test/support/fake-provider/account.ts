/**
 * Stands in every header and text in which a provider names the account behind the key. No tenant may ever read it,
 * so a test searches whatever the gateway sent for this one word.
 */
export const ACCOUNT = 'upstream-account-7f3a';

/** The key that fake providers accept unless told otherwise. */
export const PROVIDER_KEY = 'sk-fake-provider-key';
