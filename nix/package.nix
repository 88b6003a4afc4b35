# Two outputs: `rootfs` is what images get, laid out as `npm run build` has it; `out` is the same program for a machine that
# has Nix: its interpreter and libraries are in the store.
{
  lib,
  stdenv,
  nodejs,
  cacert,
  perl,
  patchelf,
  util-linux,
  # A dist/rootfs that was built elsewhere, in the place of a build from source.
  prebuilt ? null,
}:

let
  inherit (lib.importJSON ../package.json) version;

  # The lock file says what each package contains and not where it is, so that fetchNpmDeps and importNpmLock find nothing in
  # it: npm asks its registry, and all that it lays out is what the hash is of. Scripts run nowhere (.npmrc).
  nodeModules = stdenv.mkDerivation {
    pname = "nix-cache-init-node-modules";
    inherit version;
    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../package.json
        ../package-lock.json
        ../.npmrc
      ];
    };
    nativeBuildInputs = [
      nodejs
      cacert
    ];
    buildPhase = ''
      export HOME=$TMPDIR
      npm ci --ignore-scripts --no-audit --no-fund --no-bin-links
      # Differs from one npm to the next.
      rm node_modules/.package-lock.json
    '';
    installPhase = "cp -R node_modules $out";
    dontFixup = true;
    impureEnvVars = lib.fetchers.proxyImpureEnvVars;
    outputHashMode = "recursive";
    outputHash = (lib.importJSON ./node-modules.json).${stdenv.hostPlatform.system};
  };

  fromSource = {
    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../LICENSE
        ../package.json
        ../rootfs
        ../src
        ../test/harness
        ../tools
      ];
    };
    # The build makes programs that bring their own libc, or none.
    hardeningDisable = [ "all" ];
    buildPhase = ''
      runHook preBuild
      cp -R ${nodeModules} node_modules
      chmod -R u+w node_modules
      # The pinned Node looks for a loader that the sandbox does not have. In place: what patchelf moves, the injection of the
      # program into a copy of it would damage.
      interpreter=$(patchelf --print-interpreter node_modules/node-linux-*/bin/node)
      ln -s ${stdenv.cc.bintools.dynamicLinker} "/tmp/''${interpreter##*/}"
      interpreter=$interpreter perl -0777 -pi -e '
        my $from = $ENV{interpreter};
        (my $to = $from) =~ s{.*/}{/tmp/};
        die "$to is longer than $from\n" if length $to > length $from;
        s/\Q$from\E\0/$to . "\0" x (1 + length($from) - length $to)/e;
      ' node_modules/node-linux-*/bin/node
      LD_LIBRARY_PATH=${lib.makeLibraryPath [ stdenv.cc.cc ]} sh tools/node.sh tools/build.ts
      runHook postBuild
    '';
    builtRootfs = "dist/rootfs";
  };

  fromPrebuilt = {
    src = prebuilt;
    dontBuild = true;
    builtRootfs = ".";
  };

  home = "opt/nix-cache-init";
in
stdenv.mkDerivation (
  {
    pname = "nix-cache-init";
    inherit version;
    outputs = [
      "out"
      "rootfs"
    ];
    nativeBuildInputs = [
      patchelf
      perl
      # A boot is run beforehand, with mounts of its own.
      util-linux
    ];

    installPhase = ''
      runHook preInstall
      mkdir -p $rootfs $out/bin
      cp -R $builtRootfs/. $rootfs
      cp -R $rootfs/${home}/lib $rootfs/${home}/share $out
      chmod -R u+w $out
      cp $rootfs/${home}/bin/nix-cache-init $out/bin
      chmod u+w $out/bin/nix-cache-init
      loader=$(patchelf --print-interpreter $out/bin/nix-cache-init)
      patchelf --set-interpreter "$out/lib/''${loader##*/}" --force-rpath --set-rpath $out/lib $out/bin/nix-cache-init
      patchelf --replace-needed /${home}/lib/native.so $out/lib/native.so $out/bin/nix-cache-init
      ln -s nix-cache-init $out/bin/remount
      runHook postInstall
    '';
    # Both outputs are as they have to be: stripped where that does no harm, and with run paths of their own.
    dontFixup = true;

    meta = {
      description = "PID 1 for Nix containers: keeps the Nix store on a persistent volume";
      license = lib.licenses.mit;
      mainProgram = "nix-cache-init";
      platforms = [
        "x86_64-linux"
        "aarch64-linux"
      ];
    };
  }
  // (if prebuilt == null then fromSource else fromPrebuilt)
)
