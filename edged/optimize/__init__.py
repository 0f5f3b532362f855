"""The workstation's toolbox: training and export. Heavy imports live only here."""
