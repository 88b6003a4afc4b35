# The boot hook of a machine with systemd: the volume is under the store before nix-daemon is.
{ packagesOf }:
{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.services.nix-cache-init;
  json = pkgs.formats.json { };
  cacheDir = cfg.settings.cacheDir or "/nix-cache";
in
{
  options.services.nix-cache-init = {
    enable = lib.mkEnableOption "the Nix store on a persistent volume";

    package = lib.mkOption {
      type = lib.types.package;
      default = packagesOf.${pkgs.stdenv.hostPlatform.system}.default;
      defaultText = lib.literalExpression "nix-cache-init.packages.\${system}.default";
      description = "The nix-cache-init to use.";
    };

    settings = lib.mkOption {
      inherit (json) type;
      default = { };
      example = {
        strategy = "overlay";
        cacheDir = "/nix-cache";
      };
      description = "What becomes {file}`/etc/nix-cache-init/config.json`: see {command}`nix-cache-init config --schema`.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc."nix-cache-init/config.json".source =
      json.generate "nix-cache-init-config.json" cfg.settings;

    # Where the program is in an image, and where the hook of the strategy local-overlay is looked for.
    systemd.tmpfiles.rules = [
      "L+ /opt/nix-cache-init - - - - ${cfg.package.rootfs}/opt/nix-cache-init"
    ];

    systemd.services.nix-cache-init = {
      description = "The Nix store on a persistent volume";
      wantedBy = [
        "nix-daemon.socket"
        "multi-user.target"
      ];
      before = [
        "nix-daemon.socket"
        "nix-daemon.service"
        "shutdown.target"
      ];
      conflicts = [ "shutdown.target" ];
      after = [ "systemd-tmpfiles-setup.service" ];
      unitConfig = {
        # Sockets come before what services wait for by themselves.
        DefaultDependencies = false;
        RequiresMountsFor = [ cacheDir ];
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${cfg.package}/bin/nix-cache-init mount";
        ExecStop = "${cfg.package}/bin/nix-cache-init unmount";
      };
      # Whatever runs has its files from there.
      restartIfChanged = false;
      stopIfChanged = false;
    };
  };
}
