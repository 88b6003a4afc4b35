{
  description = "PID 1 for Nix containers: keeps the Nix store on a persistent volume";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      eachSystem =
        make:
        lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = eachSystem (pkgs: rec {
        nix-cache-init = pkgs.callPackage ./nix/package.nix { };
        default = nix-cache-init;
      });

      apps = eachSystem (pkgs: rec {
        nix-cache-init = {
          type = "app";
          program = "${self.packages.${pkgs.stdenv.hostPlatform.system}.default}/bin/nix-cache-init";
          meta.description = "the commands of nix-cache-init, such as doctor";
        };
        default = nix-cache-init;
      });

      overlays.default = final: _: {
        nix-cache-init = final.callPackage ./nix/package.nix { };
      };

      # An image of dockerTools with /init in it: see nix/wrap-image.nix.
      lib.wrapImage =
        {
          pkgs,
          package ? self.packages.${pkgs.stdenv.hostPlatform.system}.default,
          ...
        }@options:
        import ./nix/wrap-image.nix (options // { inherit package; });

      nixosModules = rec {
        nix-cache-init = import ./nix/module.nix { packagesOf = self.packages; };
        default = nix-cache-init;
      };
    };
}
