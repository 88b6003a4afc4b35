# Puts /init into an image of dockerTools.
#
#   wrapImage { inherit pkgs; } { name = "dev"; contents = [ pkgs.nix ]; config.Cmd = [ "bash" ]; }
#   wrapImage { inherit pkgs; builder = "streamLayeredImage"; } { … }
#   wrapImage { inherit pkgs; } anImage
{
  pkgs,
  package,
  # buildImage, buildLayeredImage or streamLayeredImage
  builder ? "buildLayeredImage",
  # What becomes /etc/nix-cache-init/config.json.
  settings ? { },
}:
# The arguments of the builder, or an image that has been built.
image:

let
  # One that is streamed is a program that writes it.
  archive =
    if image.passthru.isExe or image.isExe or false then
      pkgs.runCommand "${image.imageName}.tar" { } "${image} > $out"
    else
      image;
  isBuilt = image ? outPath || builtins.isPath image || builtins.isString image;
  args =
    if isBuilt then
      {
        name = image.imageName or "nix-cache-init";
        fromImage = archive;
      }
    else
      image;

  config = args.config or { };
  entrypoint = config.Entrypoint or [ ];
  configFile = pkgs.writeText "nix-cache-init-config.json" (builtins.toJSON settings);
in
pkgs.dockerTools.${builder} (
  args
  // {
    config = config // {
      # What was the entrypoint is the beginning of the command; without one /init takes options before it.
      Entrypoint = [ "/init" ] ++ (if entrypoint == [ ] then [ ] else [ "--" ] ++ entrypoint);
      StopSignal = config.StopSignal or "SIGTERM";
    };
    # As files of the layer: a link into the store would lead to where the volume is mounted.
    extraCommands = ''
      cp -R --no-preserve=ownership ${package.rootfs}/. .
      chmod -R u+w opt usr run
    ''
    + (
      if settings == { } then
        ""
      else
        ''
          mkdir -p etc/nix-cache-init
          cp ${configFile} etc/nix-cache-init/config.json
        ''
    )
    + (args.extraCommands or "");
  }
)
