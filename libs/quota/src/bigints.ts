/** A parameter of the type `bigint[]`. Of a list, pg would look in each element for what is to be escaped. @param all texts in decimal */
export const bigints = (all: readonly (bigint | string)[]): string => `{${all.join(',')}}`;
