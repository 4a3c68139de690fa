import tseslint from 'typescript-eslint';

/** The house from the ground up: a lib may import what stands on a lower line, through its door, and nothing else. */
const STOREYS = [
  ['platform'],
  ['audit'],
  ['tenancy', 'webhooks'],
  ['billing', 'quota', 'auth', 'dialects', 'policy', 'prompts'],
  ['proxy'],
];

const doors = (names) => names.map((name) => `@app/${name}`);

/** What the files of a lib must not import: its own storey, those above, the inside of any lib, and files by climbing out. */
function walls(lib, storey) {
  const forbidden = STOREYS.slice(storey).flat();
  return {
    files: [`libs/${lib}/src/**/*.ts`],
    ignores: ['**/*.int-spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: doors(forbidden).map((name) => ({ name, message: `${lib} stands below or beside ${name}` })),
          patterns: [
            { group: ['@app/*/*'], message: "enter a lib through its door, '@app/<lib>'" },
            { regex: '^(\\.\\./)+(apps|test)/', message: 'a lib does not reach up into apps or test' },
            { regex: '^\\.{1,2}(/\\.\\.)*/(index)?$', message: "inside a lib, import the file, not the lib's door" },
          ],
        },
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'coverage', 'docs', '.tmp', 'data'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-extraneous-class': 'off',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-params': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='Principal'][property.name='mint']",
          message: 'only libs/auth mints principals',
        },
        { selector: "CallExpression[callee.name='forwardRef']", message: 'a loop between modules is a missing module' },
        { selector: 'ExportAllDeclaration', message: 'name what is exported' },
      ],
    },
  },
  {
    files: ['libs/auth/src/**/*.ts', 'test/**/*.ts', '**/*.spec.ts', '**/*.int-spec.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  ...STOREYS.flatMap((libs, storey) => libs.map((lib) => walls(lib, storey))),
  {
    files: ['apps/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@app/*/*', '**/libs/**'], message: "enter a lib through its door, '@app/<lib>'" }] },
      ],
    },
  },
  {
    files: ['test/**/*.ts', '**/*.spec.ts', '**/*.int-spec.ts'],
    rules: {
      'max-lines': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
);
