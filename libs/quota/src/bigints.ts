/** A parameter of the type `bigint[]`. Of a list, pg would look in each element for what is to be escaped. */
export const bigints = (all: readonly bigint[]): string => `{${all.join(',')}}`;
