import { findJava, findMaven, javaMajorVersion, type ProgramLookup, requirePosix } from '../../../scripts/kafka/requirements';

const JAVA_17 = 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)\n';

/** A machine with these programs: path → what `-version` prints, or an Error when it does not run. */
function machine(
  programs: Record<string, string | Error>,
  environment: Record<string, string> = { PATH: '/usr/bin:/opt/bin' },
): ProgramLookup {
  return {
    environment,
    isExecutable: async (path) => path in programs,
    run: async (path) => {
      const output = programs[path];
      if (typeof output === 'string') return output;
      throw output ?? new Error(`${path} does not exist`);
    },
  };
}

describe('Java', () => {
  it('is the first one on PATH', async () => {
    await expect(findJava(machine({ '/opt/bin/java': JAVA_17 }))).resolves.toBe('/opt/bin/java');
  });

  it("is JAVA_HOME's, even when PATH has another", async () => {
    const programs = { '/usr/bin/java': JAVA_17, '/jdk/bin/java': JAVA_17 };
    await expect(findJava(machine(programs, { PATH: '/usr/bin', JAVA_HOME: '/jdk' }))).resolves.toBe('/jdk/bin/java');
  });

  it('that is missing is named together with what to do', async () => {
    await expect(findJava(machine({}))).rejects.toMatchObject({
      code: 'JAVA_MISSING',
      message: 'Kafka needs Java 17 or newer: there is no "java" on PATH and JAVA_HOME is not set. Install one, or set JAVA_HOME.',
    });
  });

  it('of a wrong JAVA_HOME is said to be missing there', async () => {
    const lookup = machine({ '/usr/bin/java': JAVA_17 }, { PATH: '/usr/bin', JAVA_HOME: '/gone' });
    await expect(findJava(lookup)).rejects.toMatchObject({
      code: 'JAVA_MISSING',
      message: expect.stringContaining('JAVA_HOME is /gone') as unknown,
    });
  });

  it('that does not run is missing too', async () => {
    await expect(findJava(machine({ '/usr/bin/java': new Error('exec format error') }))).rejects.toMatchObject({
      code: 'JAVA_MISSING',
      message: expect.stringContaining('/usr/bin/java does not run') as unknown,
    });
  });

  it.each([
    ['openjdk version "11.0.22" 2024-01-16', 'Java 11'],
    ['java version "1.8.0_392"', 'Java 8'],
    ['no such thing', 'an unknown version (no such thing)'],
  ])('that says %j is too old', async (output, named) => {
    await expect(findJava(machine({ '/usr/bin/java': output }))).rejects.toMatchObject({
      code: 'JAVA_TOO_OLD',
      message: expect.stringContaining(`/usr/bin/java is ${named}`) as unknown,
    });
  });

  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['openjdk version "21-ea" 2023-09-19', 21],
    ['java version "1.8.0_392"', 8],
    ['', undefined],
  ])('of %j has the major version %p', (output, version) => {
    expect(javaMajorVersion(output)).toBe(version);
  });
});

describe('Maven', () => {
  it('is the first one on PATH', async () => {
    await expect(findMaven(machine({ '/opt/bin/mvn': '' }))).resolves.toBe('/opt/bin/mvn');
  });

  it('that is missing is named together with what it is for', async () => {
    await expect(findMaven(machine({}))).rejects.toMatchObject({
      code: 'MAVEN_MISSING',
      message: `Maven fetches Kafka's jars the first time: there is no "mvn" on PATH. Install Maven.`,
    });
  });
});

describe('the platform', () => {
  it('has a POSIX shell', () => {
    expect(() => {
      requirePosix('linux');
      requirePosix('darwin');
    }).not.toThrow();
    expect(() => {
      requirePosix('win32');
    }).toThrow('npm run kafka needs Linux or macOS');
  });
});
